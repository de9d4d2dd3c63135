"""A page on which a person chooses between a run's samples: one file, which needs no server and no network."""

import base64
import io
import shlex
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path

from torch import Tensor

from ..core import Codec
from ..errors import GanvasError, require
from ..pictures.table import draw_tile
from ..runs.checkpoint import read_nets_checksum
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler, open_sampler
from ..system.files import encode_json, explain_os_errors, write_atomically

MAX_PAGE_PAIRS, MAX_PICTURE_SIDE, MAX_PNG_SIDE = 1_000, 512, 128
CHECKSUM_LETTERS = 16  # enough to tell checkpoints apart


def preference_page(
    run: str | Path | RunFolder,
    out: str | Path,
    *,
    n: int = 100,
    first_seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
) -> Path:
    """Write a page that shows `n` pairs of a run's samples, and saves what a person chooses. Returns the page's path.

    Args:
        out: the page to write, an .html file.
        first_seed: the first pair shows this seed and the next one; take another for further pairs.

    Raises:
        GanvasError: no run, a run whose samples people cannot compare by eye, or a page that cannot be written.
    """
    require(1 <= n <= MAX_PAGE_PAIRS, "n", n, f"from 1 to {MAX_PAGE_PAIRS:,}")
    require(0 <= first_seed <= 10**12, "first_seed", first_seed, "from 0 to 10^12")
    path = Path(out)
    if path.suffix.lower() not in (".html", ".htm"):
        raise GanvasError(f"a page is an .html file, got {path}: --page page.html")
    sampler = open_sampler(run, checkpoint, device)
    check_comparable(sampler)
    text = render_page(sampler, range(first_seed, first_seed + 2 * n))
    with explain_os_errors("writing the page", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8", errors="replace", newline="\n"))
    return path


def check_comparable(sampler: Sampler) -> None:
    """Raises GanvasError for a run whose samples are no pictures, or start from pictures."""
    if sampler.codec.medium != "image":
        raise GanvasError(
            f"{sampler.run.path} makes {sampler.codec.noun}, and choices are between pictures that people see side by side: "
            "take a run of pictures"
        )
    if sampler.is_translator:
        raise GanvasError(
            f"{sampler.run.path} makes a picture from another one, and choices are between samples of seeds: take a run that "
            "generates"
        )


def render_page(sampler: Sampler, seeds: range) -> str:
    checkpoint = f"checkpoint {sampler.checkpoint_folder.name} of {sampler.run.path}"
    data = {
        "title": checkpoint,
        "run": shlex.quote(str(sampler.run.path)),
        "weights": read_nets_checksum(sampler.checkpoint_folder)[:CHECKSUM_LETTERS],
        "first": seeds.start,
        "pictures": [uri for block in sampler.stream_seeds(seeds) for uri in embed_samples(sampler.codec, block)],
    }
    parts = {
        "title": escape(sampler.run.recipe.name),
        "subtitle": escape(f"Samples of {checkpoint}, seeds {seeds.start} to {seeds.stop - 1}"),
        "data": encode_json(data).replace("<", "\\u003c"),
    }
    page = files(__package__ or "").joinpath("page.html").read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace("{{" + name + "}}", text)
    return page


def embed_samples(codec: Codec, stored: Tensor) -> Iterator[str]:
    """Each sample as a data URI: small ones exactly, larger ones as a JPEG of at most MAX_PICTURE_SIDE."""
    side = max(codec.spec.shape[1:])
    for sample in stored:
        picture, buffer = draw_tile(codec, sample, min(side, MAX_PICTURE_SIDE)), io.BytesIO()
        kind = "png" if side <= MAX_PNG_SIDE else "jpeg"
        (picture if kind == "png" else picture.convert("RGB")).save(
            buffer, kind.upper(), **({} if kind == "png" else {"quality": 90})
        )
        yield f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
