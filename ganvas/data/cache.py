"""Encoded samples on disk between runs: a folder per entry, written under a temporary name and renamed when complete."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..configuration import to_json
from ..core import Codec, Items
from .encoding import SkippedItem, encode_items
from .items import fingerprint_parts

ENTRY_FORMAT = 2  # raise it when the output of any codec's `encode` changes
MIN_MAPPED_BYTES = 512 * 2**20  # larger entries are mapped, not read
STALE_SECONDS = 24 * 3600  # seconds after which another process's unfinished entry counts as abandoned


def load_or_encode(items: Items, codec: Codec, cache: Path, quiet: bool) -> tuple[np.ndarray, list[SkippedItem]]:
    """The items in stored form [N, …] and the skipped ones, from their cache entry, which is created if needed.

    Raises:
        OSError: the cache cannot be written.
        GanvasError: more than 5% of the items cannot be read.
    """
    entry = cache / fingerprint_parts(ENTRY_FORMAT, items.fingerprint, len(items), json.dumps(to_json(codec), sort_keys=True))
    cached_data = _load_entry(entry, len(items))
    if cached_data is not None:
        return cached_data
    cache.mkdir(parents=True, exist_ok=True)
    _remove_stale_entries(cache)
    temporary = Path(tempfile.mkdtemp(prefix=f"{entry.name}.", suffix=".part", dir=cache))
    try:
        _write_entry(temporary, items, codec, quiet)
        shutil.rmtree(entry, ignore_errors=True)  # an entry that could not be opened
        os.rename(temporary, entry)
    except OSError:
        if _load_entry(entry, len(items)) is None:  # otherwise another process finished first
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    new_data = _load_entry(entry, len(items))
    if new_data is None:
        raise OSError(f"{entry} vanished")
    return new_data


def _write_entry(folder: Path, items: Items, codec: Codec, quiet: bool) -> None:
    """Write stored.npy and skipped.json. The array's header is written again once the number of rows is known."""
    skipped: list[SkippedItem] = []
    count, row = 0, np.empty(0)
    with (folder / "stored.npy").open("wb") as file:
        for rows, left_out in encode_items(items, codec, quiet):
            skipped += left_out
            if len(rows) and not count:
                row = rows[0]
                _write_array_header(file, row, len(items))
            count += len(rows)
            file.write(rows.tobytes())
        file.seek(0)
        _write_array_header(file, row, count)  # as long as the first: numpy leaves room for a larger number of rows
        file.flush()
        os.fsync(file.fileno())
    (folder / "skipped.json").write_text(json.dumps(skipped))


def _write_array_header(file: BinaryIO, row: np.ndarray, count: int) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(row.dtype), "fortran_order": False, "shape": (count, *row.shape)}
    np.lib.format.write_array_header_1_0(file, header)


def _load_entry(entry: Path, count: int) -> tuple[np.ndarray, list[SkippedItem]] | None:
    """An entry for `count` items, or None if there is no complete one."""
    path = entry / "stored.npy"
    try:
        skipped = [SkippedItem(*s) for s in json.loads((entry / "skipped.json").read_text())]
        stored = np.load(path, mmap_mode="c" if path.stat().st_size > MIN_MAPPED_BYTES else None, allow_pickle=False)
    except (OSError, ValueError, TypeError, EOFError):
        return None
    return (stored, skipped) if len(stored) + len(skipped) == count else None


def _remove_stale_entries(cache: Path) -> None:
    for temporary in cache.glob("*.part"):
        if time.time() - temporary.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(temporary, ignore_errors=True)
