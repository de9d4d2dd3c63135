"""Generated files say that they were generated, and how."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL.PngImagePlugin import PngInfo

from . import __version__
from .files import explained, write_whole

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from .sampling import Generator

NAME = "PROVENANCE.json"


def note(generator: "Generator", seed: int | str) -> dict[str, str]:
    """What is written into each file that can hold words, and beside the others."""
    run = generator.run
    wishes: dict[str, object] = {"label": generator.label, "truncation": generator.truncation}
    wishes |= {f"edit {name}": value for name, value in generator.edit.items()}
    asked = "".join(f", {name} {value}" for name, value in wishes.items() if value is not None)
    return {
        "Software": f"ganvas {__version__}",
        "Comment": "synthetic: made by a generative model",
        "Source": f"recipe {run.recipe.name}, checkpoint {generator.folder.name}, seed {seed}{asked}",
    }


def write_picture(picture: "Picture", path: Path, words: Mapping[str, str]) -> None:
    """A PNG that says what it is. Raises GanvasError where it cannot be written."""
    text = PngInfo()
    for name, value in words.items():
        text.add_text(name, value)
    with explained("writing the picture", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda temporary: picture.save(temporary, "PNG", pnginfo=text))


def write_note(folder: Path, words: dict[str, str]) -> None:
    """For formats that hold no words of their own."""
    write_whole(folder / NAME, lambda temporary: temporary.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8"))
