"""A run's exhibits: RUN/exhibits/ holds a file for each, and their captions."""

import io
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from ..core import Codec, Exhibit, ExhibitingCodec
from ..system.files import explain_os_errors, read_json, write_bytes, write_json

EXHIBITS_FOLDER, CAPTIONS_FILE = "exhibits", "captions.json"
BEFORE_AFTER = "before_after"  # the name of a picture of two halves, which the page shows under a slider


def exhibit_samples(codec: Codec, name: str, caption: str, stored: Tensor) -> Exhibit:
    """Samples [N, …] as the codec shows them: its own exhibit if it makes one, else a picture."""
    if isinstance(codec, ExhibitingCodec):
        return codec.exhibit(name, caption, stored)
    buffer = io.BytesIO()
    codec.preview(stored).save(buffer, "PNG")
    return Exhibit(name, caption, ".png", buffer.getvalue())


def write_exhibits(run: Path, exhibits: Iterable[Exhibit]) -> None:
    """Write exhibits into a run's folder. Older exhibits stay, unless they have the same name."""
    folder = run / EXHIBITS_FOLDER
    captions = dict(read_json(folder / CAPTIONS_FILE)) if (folder / CAPTIONS_FILE).exists() else {}
    with explain_os_errors("writing exhibits", folder):
        folder.mkdir(exist_ok=True)
        for exhibit in exhibits:
            write_bytes(folder / f"{exhibit.name}{exhibit.suffix}", exhibit.data)
            captions[f"{exhibit.name}{exhibit.suffix}"] = exhibit.caption
        write_json(folder / CAPTIONS_FILE, captions)
