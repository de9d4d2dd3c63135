"""Tables that have types already: Parquet, Feather, and whatever in Python has an Arrow stream (pandas, polars, DuckDB)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import fingerprint_files, fingerprint_parts, read_file_stamp
from .opened import BLOCK_ROWS, OpenTable, check_column_names, explain_arrow_errors


def open_parquet_table(path: Path) -> OpenTable:
    """The table in a Parquet file."""
    parquet = import_arrow("pyarrow.parquet")
    with explain_arrow_errors(str(path)), parquet.ParquetFile(path) as file:
        schema = file.schema_arrow

    def read_blocks() -> Iterator[Any]:
        with explain_arrow_errors(str(path)), parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=BLOCK_ROWS, use_threads=False)

    return _build_open_table(path, schema, read_blocks)


def open_feather_table(path: Path) -> OpenTable:
    """The table in a Feather file (Arrow's file format), mapped, or in a file with an Arrow stream."""
    arrow = import_arrow()

    def open_reader() -> Any:
        try:
            return arrow.ipc.open_file(arrow.memory_map(str(path)))
        except arrow.ArrowInvalid:
            return arrow.ipc.open_stream(arrow.memory_map(str(path)))

    def read_blocks() -> Iterator[Any]:
        with explain_arrow_errors(str(path)):
            reader = open_reader()
            count = getattr(reader, "num_record_batches", None)
            batches = reader if count is None else map(reader.get_batch, range(count))
            for batch in batches:
                yield from (batch.slice(start, BLOCK_ROWS) for start in range(0, batch.num_rows, BLOCK_ROWS))

    with explain_arrow_errors(str(path)):
        schema = open_reader().schema
    return _build_open_table(path, schema, read_blocks)


def open_frame(frame: Any, title: str = "frame") -> OpenTable:
    """The table of any object with `__arrow_c_stream__`. A stream is read once, into memory."""
    arrow = import_arrow()
    if not hasattr(frame, "__arrow_c_stream__"):
        raise GanvasError(
            f"{type(frame).__name__} has no Arrow stream: give a frame of pandas 2.2 or polars, a pyarrow.Table or a path"
        )
    with explain_arrow_errors(title):
        table = arrow.table(frame)
    table = table.rename_columns(check_column_names(list(table.schema.names), title))
    peeks = [table.slice(start, 64).to_pydict() for start in (0, max(0, len(table) - 64))]
    fingerprint = fingerprint_parts(title, str(table.schema), len(table), table.nbytes, peeks)
    return OpenTable(title, fingerprint, table.schema, lambda: iter(table.to_batches(max_chunksize=BLOCK_ROWS)))


def _build_open_table(path: Path, schema: Any, read_blocks: Callable[[], Iterator[Any]]) -> OpenTable:
    check_column_names(list(schema.names), str(path))
    return OpenTable(path.name, fingerprint_files([path], [read_file_stamp(path)]), schema, read_blocks)
