"""Generated files say that they were generated, and how."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .files import write_whole

if TYPE_CHECKING:
    from .sampling import Generator

NAME = "PROVENANCE.json"


def note(generator: "Generator", seed: int) -> dict[str, str]:
    """What is written into each file that can hold words, and beside the others."""
    run = generator.run
    wishes = {"label": generator.label, "truncation": generator.truncation}
    asked = "".join(f", {name} {value}" for name, value in wishes.items() if value is not None)
    return {
        "Software": f"ganvas {__version__}",
        "Comment": "synthetic: made by a generative model",
        "Source": f"recipe {run.recipe.name}, checkpoint {generator.folder.name}, seed {seed}{asked}",
    }


def write_note(folder: Path, words: dict[str, str]) -> None:
    """For formats that hold no words of their own."""
    write_whole(folder / NAME, lambda temporary: temporary.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8"))
