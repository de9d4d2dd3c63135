"""Files of tables that have types already: Parquet and Feather."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...system.arrow import import_arrow
from ..items import fingerprint_files, read_file_stamp
from .opened import BLOCK_ROWS, TEXTS_KEY, OpenTable, check_column_names, explain_arrow_errors


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


def _build_open_table(path: Path, schema: Any, read_blocks: Callable[[], Iterator[Any]]) -> OpenTable:
    check_column_names(list(schema.names), str(path))
    fingerprint, is_text = fingerprint_files([path], [read_file_stamp(path)]), TEXTS_KEY in (schema.metadata or {})
    return OpenTable(path.name, fingerprint, schema.remove_metadata(), read_blocks, is_text)
