"""Samples as files: one each, a picture of all, an array, an archive."""

import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..core import Codec, FilesOf, Latents
from ..errors import GanvasError
from ..provenance import write_note, write_picture
from ..system.files import explained, write_whole
from .generator import Generator

T = TypeVar("T")
LONGEST = 500  # letters of seeds in a note


def write_samples(
    generator: Generator,
    n: int,
    seed: int,
    out: Path,
    form: str,
    seeds: Sequence[int] | None = None,
    code: Latents | None = None,
) -> Path:
    """Write samples under the folder `out`, as many as there are, never all in memory; returns what was written.

    Args:
        out: a folder; of a "grid" also the picture itself, a .png.
        form: "files" (one a sample, as the medium has them), "grid" (one picture), "npy" (stored form) or "zip".
        seeds: instead of `n` samples of a seed, the first of each of these.
        code: instead of both, what these latents make.

    Raises:
        GanvasError: another form, or a folder that cannot be written.
    """
    forms = {"files": _files, "npy": _array, "zip": _zip}
    if form not in (*forms, "grid"):
        raise GanvasError(f"there is no format {form!r}: --format files, npy or zip, or --grid")
    blocks, which = generator.stream(n, seed), str(seed)
    if seeds is not None:
        blocks, n, which = generator.stream_of(seeds), len(seeds), spans(seeds)
    if code is not None:
        blocks, n, which = generator.rendered(generator.edited(code)), len(next(iter(code.values()))), "none: a code"
    words = generator.note(which)
    if form == "grid":  # holds its words itself
        return _grid(generator.codec, _progress(blocks, n), n, out, words)
    with explained("writing samples", out):
        out.mkdir(parents=True, exist_ok=True)
        written = forms[form](generator.codec, _progress(blocks, n), n, out, words)
        if form != "files":
            write_note(out, words)  # now: what was there before had another
        return written


def spans(seeds: Sequence[int]) -> str:
    """[0, 1, 2, 3, 7] as "0-3, 7"; where that is long, its beginning: each file is to hold it."""
    found: list[list[int]] = []
    for seed in seeds:
        if found and seed == found[-1][1] + 1:
            found[-1][1] = seed
        else:
            found.append([seed, seed])
    text = ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in found)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _files(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    for _ in _beside(blocks, lambda block, start: codec.write(block, out, start, words)):
        pass
    return out


def _beside(blocks: Iterator[Tensor], work: Callable[[Tensor, int], T]) -> Iterator[T]:
    """What `work` makes of each block and its start, while the next block is made."""
    start, busy = 0, None
    with ThreadPoolExecutor(1) as pool:  # one, for a medium may add to the end of a file
        for block in blocks:
            if busy is not None:
                yield busy.result()
            busy = pool.submit(work, block, start)
            start += len(block)
        if busy is not None:
            yield busy.result()


def _grid(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    if n > 10_000:
        raise GanvasError(f"a picture of {n:,} samples is too large: --n 64, or leave out --grid")
    path = out if out.suffix.lower() == ".png" else out / "grid.png"
    write_picture(codec.preview(torch.cat(list(blocks))), path, words)
    return path


def _array(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # not through a memory map: there a full disk kills the process
            for k, block in enumerate(blocks):
                values = np.ascontiguousarray(block.numpy())
                if not k:
                    form = np.lib.format.dtype_to_descr(values.dtype)
                    head = {"descr": form, "fortran_order": False, "shape": (n, *values.shape[1:])}
                    np.lib.format.write_array_header_1_0(file, head)
                file.write(values.data)

    write_whole(out / "samples.npy", write)
    return out / "samples.npy"


def _zip(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            if isinstance(codec, FilesOf):
                made: FilesOf = codec

                def encoded(block: Tensor, start: int) -> list[tuple[str, bytes]]:
                    return list(made.files(block, start, words))

                for files in _beside(blocks, encoded):
                    for name, data in files:
                        archive.writestr(name, data)
                return
            with tempfile.TemporaryDirectory(dir=out) as folder:
                for path in sorted(_files(codec, blocks, n, Path(folder), words).iterdir()):
                    archive.write(path, path.name)

    write_whole(out / "samples.zip", write)
    return out / "samples.zip"


def _progress(blocks: Iterator[Tensor], n: int) -> Iterator[Tensor]:
    """The same blocks, with a bar where there are enough to wait for."""
    with tqdm(total=n, unit="sample", disable=n < 1000 or not sys.stderr.isatty()) as bar:
        for block in blocks:
            yield block
            bar.update(len(block))
