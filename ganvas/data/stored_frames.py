"""Frames as files: a run on a frame resumes, and is scored, long after the frame is gone.

The file lies in the cache and not in the run's folder, because people hand on a run, and the frame may be private.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import GanvasError
from ..system.arrow import import_arrow
from ..system.files import explain_os_errors, find_cache_folder, flush_to_disk, remove_leftovers
from .tables import open_stream
from .tables.frames import FRAMES_FOLDER
from .tables.opened import TEXTS_KEY, OpenTable
from .tables.plain_types import simplify_types

OWNER_ONLY = 0o600
HASH_LETTERS = 16


def locate_data(data: Any) -> str | Path | None:
    """The path of data: of a frame, the file that it is stored as; a path stays as it is.

    Raises:
        GanvasError: neither a path nor a frame, or a frame that cannot be stored.
    """
    return data if data is None or isinstance(data, (str, Path)) else store_frame(data)


def store_frame(frame: Any) -> Path:
    """Write a frame as a Parquet file into the cache. Its name follows from its content, so the same frame is stored once.

    Raises:
        GanvasError: something else than a frame, columns that Parquet cannot hold, or a cache that cannot be written.
    """
    table = open_stream(frame)
    folder = find_cache_folder() / FRAMES_FOLDER
    with explain_os_errors("storing a frame", folder):
        folder.mkdir(parents=True, exist_ok=True)
        return _write_by_content(folder, lambda path: write_parquet(table, path))


def write_parquet(table: OpenTable, path: Path) -> None:
    """Write a table block by block. Columns of texts, whose types have yet to be found, are marked as such."""
    arrow, parquet = import_arrow(), import_arrow("pyarrow.parquet")
    table = table if table.is_text else simplify_types(table)
    metadata = {TEXTS_KEY: b"yes"} if table.is_text else None
    try:
        with parquet.ParquetWriter(path, table.schema.with_metadata(metadata)) as writer:
            for block in table.read_blocks():
                writer.write_batch(block)
    except (arrow.ArrowNotImplementedError, arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise GanvasError(f"{table.title} cannot be stored as Parquet ({reason}): leave that column out") from error


def _write_by_content(folder: Path, write: Callable[[Path], object]) -> Path:
    """Have `write` fill a file, and name it by what it holds. An older file of the same content stays."""
    remove_leftovers(folder, lambda _: True)
    temporary = folder / f".frame.{os.getpid()}.tmp"
    try:
        temporary.touch(OWNER_ONLY)
        write(temporary)
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path = folder / f"frame-{digest[:HASH_LETTERS]}.parquet"
        if not path.exists():
            flush_to_disk(temporary)
            os.replace(temporary, path)
        return path
    finally:
        temporary.unlink(missing_ok=True)
