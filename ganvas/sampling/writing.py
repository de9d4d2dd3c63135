"""Write samples: a file each, one picture, an array or an archive."""

import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..core import Codec, ExhibitingCodec, FileCodec, Latents
from ..errors import GanvasError
from ..pictures.captioned import draw_captioned_rows, draw_captioned_tiles
from ..provenance import write_picture, write_provenance
from ..system.files import explain_os_errors, write_atomically, write_bytes
from .generator import Sampler
from .texts import CAPTION_KEYWORD, CaptionedBlock, caption_block, stream_texts

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

T = TypeVar("T")
MAX_SEED_TEXT_CHARACTERS = 500  # longest list of seeds in a file's metadata


def write_samples(
    sampler: Sampler,
    n: int,
    seed: int,
    out: Path,
    output_format: str,
    seeds: Sequence[int] | None = None,
    code_latents: Latents | None = None,
    texts: Sequence[str] = (),
) -> Path:
    """Write samples under the folder `out`, without holding all of them in memory. Returns the path that was written.

    Args:
        out: a folder; for a "grid" also a .png file.
        output_format: "files" (one per sample, in the medium's format), "grid" (one picture), "npy" (stored form) or "zip".
        seeds: the first sample of each of these seeds, instead of `n` samples of one seed.
        code_latents: render these latents instead of drawing any.
        texts: `n` samples of each of these texts, with the same latents.

    Raises:
        GanvasError: another format, or a folder that cannot be written.
    """
    writers = {"files": _write_files, "npy": _write_npy, "zip": _write_zip}
    if output_format not in (*writers, "grid"):
        raise GanvasError(f"there is no format {output_format!r}: --format files, npy or zip, or --grid")
    blocks, seed_text = sampler.stream_blocks(n, seed), str(seed)
    if seeds is not None:
        blocks, n, seed_text = sampler.stream_seed_blocks(seeds), len(seeds), format_seeds(seeds)
    if code_latents is not None:
        blocks, n, seed_text = (
            sampler.render_blocks(sampler.apply_edit(code_latents)),
            len(next(iter(code_latents.values()))),
            "none: a code",
        )
    captioned = (caption_block(sampler, block) for block in blocks)
    if texts:
        captioned, n = stream_texts(sampler, texts, n, seed), n * len(texts)
    metadata = sampler.describe_provenance(seed_text)
    if output_format == "grid":  # a PNG holds its own metadata
        return _write_grid(sampler.codec, _show_progress(captioned, n), n, out, metadata)
    with explain_os_errors("writing samples", out):
        out.mkdir(parents=True, exist_ok=True)
        out_path = writers[output_format](sampler.codec, _show_progress(captioned, n), n, out, metadata)
        if output_format != "files":
            write_provenance(out, metadata)  # comes last, because older files in `out` had other metadata
        return out_path


def format_seeds(seeds: Sequence[int]) -> str:
    """[0, 1, 2, 3, 7] as "0-3, 7". A long text is cut, because each file holds it."""
    ranges: list[list[int]] = []
    for seed in seeds:
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    text = ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in ranges)
    return text if len(text) <= MAX_SEED_TEXT_CHARACTERS else f"{text[:MAX_SEED_TEXT_CHARACTERS]} …"


def _write_files(codec: Codec, blocks: Iterator[CaptionedBlock], n: int, out: Path, metadata: dict[str, str]) -> Path:
    def write_block(block: CaptionedBlock, start: int) -> None:
        for stored, number, own_metadata in _split_by_caption(block, start, metadata):
            codec.write(stored, out, number, own_metadata)

    for _ in _map_in_background(blocks, write_block):
        pass
    return out


def _split_by_caption(
    block: CaptionedBlock, start: int, metadata: dict[str, str]
) -> Iterator[tuple[Tensor, int, dict[str, str]]]:
    """(samples, the first one's number, their metadata): each sample for itself if it has a caption, else all at once."""
    if not block.captions:
        yield block.stored, start, metadata
    for k, caption in enumerate(block.captions):
        yield block.stored[k : k + 1], start + k, {**metadata, **({CAPTION_KEYWORD: caption} if caption else {})}


def _map_in_background(blocks: Iterator[CaptionedBlock], work: Callable[[CaptionedBlock, int], T]) -> Iterator[T]:
    """`work(block, start)` for each block, in a background thread while the next block is generated."""
    start, pending = 0, None
    with ThreadPoolExecutor(1) as pool:  # one thread, because a medium may append to a file
        for block in blocks:
            if pending is not None:
                yield pending.result()
            pending = pool.submit(work, block, start)
            start += len(block.stored)
        if pending is not None:
            yield pending.result()


def _write_grid(codec: Codec, blocks: Iterator[CaptionedBlock], n: int, out: Path, metadata: dict[str, str]) -> Path:
    if n > 10_000:
        raise GanvasError(f"a picture of {n:,} samples is too large: --n 64, or leave out --grid")
    parts = list(blocks)
    stored, captions = torch.cat([part.stored for part in parts]), [text for part in parts for text in part.captions]
    if isinstance(codec, ExhibitingCodec):
        exhibit = codec.exhibit("grid", "", stored)
        if out.suffix.lower() == ".png":
            raise GanvasError(f"all {codec.noun} go to a file grid{exhibit.suffix}, no picture: give its folder, --out out/")
        path = write_bytes(out / f"grid{exhibit.suffix}", exhibit.data)  # makes the folder
        write_provenance(out, metadata)
        return path
    path = out if out.suffix.lower() == ".png" else out / "grid.png"
    write_picture(draw_grid(codec, stored, captions), path, metadata)
    return path


def draw_grid(codec: Codec, stored: Tensor, captions: Sequence[str]) -> "Picture":
    """All samples in one picture: a row for each run of equal captions, or a caption under each sample if some stand alone."""
    if not captions:
        return codec.preview(stored)
    runs = [(caption, len(list(run))) for caption, run in groupby(captions)]
    if any(length == 1 for _, length in runs):  # captions of the data; neighbours may share one by chance
        return draw_captioned_tiles(codec, stored, captions)
    return draw_captioned_rows(codec, stored.split([length for _, length in runs]), [caption for caption, _ in runs])


def _write_npy(codec: Codec, blocks: Iterator[CaptionedBlock], n: int, out: Path, metadata: dict[str, str]) -> Path:
    def write_blocks(temporary: Path) -> None:
        with temporary.open("wb") as file:  # no memory map, because with one a full disk kills the process
            for k, block in enumerate(blocks):
                values = np.ascontiguousarray(block.stored.numpy())
                if not k:
                    dtype_description = np.lib.format.dtype_to_descr(values.dtype)
                    header = {"descr": dtype_description, "fortran_order": False, "shape": (n, *values.shape[1:])}
                    np.lib.format.write_array_header_1_0(file, header)
                file.write(values.data)

    write_atomically(out / "samples.npy", write_blocks)
    return out / "samples.npy"


def _write_zip(codec: Codec, blocks: Iterator[CaptionedBlock], n: int, out: Path, metadata: dict[str, str]) -> Path:
    def write_archive(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            if isinstance(codec, FileCodec):
                file_codec: FileCodec = codec

                def encode_block(block: CaptionedBlock, start: int) -> list[tuple[str, bytes]]:
                    parts = _split_by_caption(block, start, metadata)
                    return [file for stored, number, own in parts for file in file_codec.files(stored, number, own)]

                for files in _map_in_background(blocks, encode_block):
                    for name, data in files:
                        archive.writestr(name, data)
                return
            with tempfile.TemporaryDirectory(dir=out) as folder:
                for path in sorted(_write_files(codec, blocks, n, Path(folder), metadata).iterdir()):
                    archive.write(path, path.name)

    write_atomically(out / "samples.zip", write_archive)
    return out / "samples.zip"


def _show_progress(blocks: Iterator[CaptionedBlock], n: int) -> Iterator[CaptionedBlock]:
    """The same blocks, with a progress bar for 1,000 samples or more."""
    with tqdm(total=n, unit="sample", disable=n < 1000 or not sys.stderr.isatty()) as bar:
        for block in blocks:
            yield block
            bar.update(len(block.stored))
