"""Tables that are handed over in Python: an Arrow stream (pandas, polars, DuckDB, ADBC), a database's cursor, a dictionary."""

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import fingerprint_parts
from .cursors import is_cursor, open_cursor
from .opened import BLOCK_ROWS, OpenTable, check_column_names

FRAMES_FOLDER = "frames"  # in the cache: frames that runs were trained on
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")  # pandas' name for row numbers
PEEKED_ROWS = 64  # at each end, for a fingerprint


def is_frame(value: Any) -> bool:
    """Whether this is a table that `open_stream` reads."""
    return hasattr(value, "__arrow_c_stream__") or isinstance(value, Mapping) or is_cursor(value)


def is_stored_frame(path: Path) -> bool:
    """Whether this is, by its name, the file of a frame in the cache."""
    return path.parent.name == FRAMES_FOLDER and path.name.startswith("frame-")


def open_stream(frame: Any, title: str = "frame") -> OpenTable:
    """The table of a frame, which may be read once only. It has no fingerprint yet.

    Raises:
        GanvasError: something else, several columns of one name, or a column that has no one type.
    """
    if not is_frame(frame):
        raise GanvasError(
            f"{type(frame).__name__} has no Arrow stream, and is no cursor and no dictionary of columns: give a path, a frame "
            "of pandas 2.2 or polars, or a pyarrow.Table"
        )
    with explain_frame_errors(title):
        if not hasattr(frame, "__arrow_c_stream__") and is_cursor(frame) and not hasattr(frame, "fetch_record_batch"):
            table = open_cursor(frame, title)
        else:
            table = _open_reader(_start_reader(frame), title)

    def read_blocks() -> Iterator[Any]:
        with explain_frame_errors(title):
            yield from table.read_blocks()

    return replace(table, read_blocks=read_blocks)


def open_frame(frame: Any, title: str = "frame") -> OpenTable:
    """The table of a frame, in memory."""
    stream = open_stream(frame, title)
    blocks = list(stream.read_blocks())
    peeks = [_peek_into_block(block) for block in (blocks[0], blocks[-1])] if blocks else []
    sizes = [(block.num_rows, block.nbytes) for block in blocks]
    fingerprint = fingerprint_parts(title, str(stream.schema), sizes, peeks)
    return replace(stream, fingerprint=fingerprint, read_blocks=lambda: iter(blocks))


def _start_reader(frame: Any) -> Any:
    """A pyarrow.RecordBatchReader."""
    arrow = import_arrow()
    if hasattr(frame, "__arrow_c_stream__"):
        return arrow.RecordBatchReader.from_stream(frame)
    return frame.fetch_record_batch() if is_cursor(frame) else arrow.table(dict(frame)).to_reader()


def _open_reader(reader: Any, title: str) -> OpenTable:
    """The blocks of a reader, without the row numbers that pandas adds for rows that were chosen or sorted."""
    fields = {place: f for place, f in enumerate(reader.schema) if not UNNAMED_INDEX.fullmatch(f.name)}
    names = check_column_names([field.name for field in fields.values()], title)
    schema = import_arrow().schema([field.with_name(name) for field, name in zip(fields.values(), names, strict=True)])

    def read_blocks() -> Iterator[Any]:
        for batch in reader:
            block = import_arrow().record_batch([batch.column(place) for place in fields], schema=schema)
            yield from (block.slice(start, BLOCK_ROWS) for start in range(0, block.num_rows, BLOCK_ROWS))

    return OpenTable(title, "", schema, read_blocks)


def _peek_into_block(block: Any) -> list[str]:
    return [str(block.slice(start, PEEKED_ROWS).to_pylist()) for start in (0, max(0, block.num_rows - PEEKED_ROWS))]


@contextmanager
def explain_frame_errors(title: str) -> Generator[None]:
    """Turn errors of the library that a frame belongs to into a GanvasError. They may be of any class."""
    try:
        yield
    except GanvasError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise GanvasError(
            f"{title} cannot be read ({type(error).__name__}: {reason}): each column needs a name of its own, "
            "one type and as many values as the others"
        ) from error
