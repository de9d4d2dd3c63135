"""Encoded samples kept on disk between runs: a folder an entry, written under a temporary name and renamed when whole."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..config import to_json
from ..core import Codec, Items
from .encoding import Skip, encoded
from .items import fingerprint

FORMAT = 1  # of an entry; raise it when `encode` of some codec changes what it makes
MAPPED = 512 * 2**20  # bytes from which an entry is mapped, not read
STALE = 24 * 3600  # seconds after which another process's unfinished entry counts as abandoned


def kept(items: Items, codec: Codec, cache: Path, quiet: bool) -> tuple[np.ndarray, list[Skip]]:
    """The items in stored form [N, …] and those left out, from their entry in the cache, which is made if need be.

    Raises:
        OSError: the cache cannot be written.
        GanvasError: more than 5% of the items cannot be read.
    """
    entry = cache / fingerprint(FORMAT, items.fingerprint, len(items), json.dumps(to_json(codec), sort_keys=True))
    found = _opened(entry, len(items))
    if found is not None:
        return found
    cache.mkdir(parents=True, exist_ok=True)
    _clear(cache)
    part = Path(tempfile.mkdtemp(prefix=f"{entry.name}.", suffix=".part", dir=cache))
    try:
        _write(part, items, codec, quiet)
        shutil.rmtree(entry, ignore_errors=True)  # one that could not be opened
        os.rename(part, entry)
    except OSError:
        if _opened(entry, len(items)) is None:  # else another process has finished first
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    made = _opened(entry, len(items))
    if made is None:
        raise OSError(f"{entry} vanished")
    return made


def _write(folder: Path, items: Items, codec: Codec, quiet: bool) -> None:
    """stored.npy and skipped.json. The array's header is written again once it is known how many rows there are."""
    skipped: list[Skip] = []
    count, row = 0, np.empty(0)
    with (folder / "stored.npy").open("wb") as file:
        for rows, left_out in encoded(items, codec, quiet):
            skipped += left_out
            if len(rows) and not count:
                row = rows[0]
                _header(file, row, len(items))
            count += len(rows)
            file.write(rows.tobytes())
        file.seek(0)
        _header(file, row, count)  # as long as the first: numpy leaves room for the first number to grow
        file.flush()
        os.fsync(file.fileno())
    (folder / "skipped.json").write_text(json.dumps(skipped))


def _header(file: BinaryIO, row: np.ndarray, count: int) -> None:
    facts = {"descr": np.lib.format.dtype_to_descr(row.dtype), "fortran_order": False, "shape": (count, *row.shape)}
    np.lib.format.write_array_header_1_0(file, facts)


def _opened(entry: Path, count: int) -> tuple[np.ndarray, list[Skip]] | None:
    """An entry for `count` items, or None if there is none that is whole."""
    path = entry / "stored.npy"
    try:
        skipped = [Skip(*s) for s in json.loads((entry / "skipped.json").read_text())]
        stored = np.load(path, mmap_mode="c" if path.stat().st_size > MAPPED else None, allow_pickle=False)
    except (OSError, ValueError, TypeError, EOFError):
        return None
    return (stored, skipped) if len(stored) + len(skipped) == count else None


def _clear(cache: Path) -> None:
    for part in cache.glob("*.part"):
        if time.time() - part.stat().st_mtime > STALE:
            shutil.rmtree(part, ignore_errors=True)
