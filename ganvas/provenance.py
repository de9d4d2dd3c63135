"""Metadata that marks generated files as generated, and says how."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL.PngImagePlugin import PngInfo

from .system.files import explain_os_errors, write_atomically
from .version import __version__

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

PROVENANCE_FILE = "PROVENANCE.json"


def describe_provenance(recipe: str, checkpoint: str, seed: int | str, settings: Mapping[str, object]) -> dict[str, str]:
    """The metadata for generated files; formats without metadata get PROVENANCE.json next to them."""
    settings_text = "".join(f", {name} {value}" for name, value in settings.items() if value is not None)
    return {
        "Software": f"ganvas {__version__}",
        "Comment": "synthetic: made by a generative model",
        "Source": f"recipe {recipe}, checkpoint {checkpoint}, seed {seed}{settings_text}",
    }


def write_picture(picture: "Picture", path: Path, metadata: Mapping[str, str]) -> None:
    """Write a PNG with metadata. Raises GanvasError if it cannot be written."""
    png_info = PngInfo()
    for name, value in metadata.items():
        png_info.add_text(name, value)
    with explain_os_errors("writing the picture", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: picture.save(temporary, "PNG", pnginfo=png_info))


def save_marked_picture(picture: "Picture", out: str | Path | None, words: Mapping[str, str]) -> "Picture":
    if out is not None:
        write_picture(picture, Path(out), words)
    return picture


def write_provenance(folder: Path, metadata: dict[str, str]) -> None:
    """Write PROVENANCE.json, for formats without metadata."""
    write_atomically(
        folder / PROVENANCE_FILE,
        lambda temporary: temporary.write_text(json.dumps(metadata, indent=1) + "\n", encoding="utf-8"),
    )
