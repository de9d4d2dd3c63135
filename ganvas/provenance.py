"""Generated files say that they were generated, and how."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL.PngImagePlugin import PngInfo

from .system.files import explained, write_whole
from .version import __version__

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

NAME = "PROVENANCE.json"


def note(recipe: str, checkpoint: str, seed: int | str, settings: Mapping[str, object]) -> dict[str, str]:
    """What is written into each file that can hold words, and beside the others."""
    asked = "".join(f", {name} {value}" for name, value in settings.items() if value is not None)
    return {
        "Software": f"ganvas {__version__}",
        "Comment": "synthetic: made by a generative model",
        "Source": f"recipe {recipe}, checkpoint {checkpoint}, seed {seed}{asked}",
    }


def write_picture(picture: "Picture", path: Path, words: Mapping[str, str]) -> None:
    """A PNG that says what it is. Raises GanvasError where it cannot be written."""
    text = PngInfo()
    for name, value in words.items():
        text.add_text(name, value)
    with explained("writing the picture", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda temporary: picture.save(temporary, "PNG", pnginfo=text))


def written(picture: "Picture", out: str | Path | None, words: Mapping[str, str]) -> "Picture":
    if out is not None:
        write_picture(picture, Path(out), words)
    return picture


def write_note(folder: Path, words: dict[str, str]) -> None:
    """For formats that hold no words of their own."""
    write_whole(folder / NAME, lambda temporary: temporary.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8"))
