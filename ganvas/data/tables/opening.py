"""Open a table of any format, find the types of its columns, and survey them, in one pass over its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import MIN_DATASET_SAMPLES
from ..names import format_count, list_examples
from .arrow_tables import open_feather_table, open_parquet_table
from .csv_tables import open_csv_table
from .database import SQLITE_PREFIX, open_sqlite_table
from .frames import is_stored_frame, open_frame
from .json_tables import open_json_table
from .opened import OpenTable
from .plain_types import simplify_types
from .sampling import RowSample
from .survey import summarise_surveys, survey_table
from .table_rows import TableRows
from .text_types import TextPlan, TypeGuess, build_text_schema, parse_texts

OPENERS = {
    ".csv": open_csv_table, ".tsv": open_csv_table, ".parquet": open_parquet_table, ".feather": open_feather_table,
    ".arrow": open_feather_table, ".jsonl": open_json_table, ".ndjson": open_json_table,
}  # fmt: skip
TABLE_SUFFIXES = (*OPENERS, ".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz")


def is_table_path(path: str) -> bool:
    """Whether this is, by its name, a table."""
    return path.startswith(SQLITE_PREFIX) or path.lower().endswith(TABLE_SUFFIXES)


def open_table(path: str) -> OpenTable:
    """The table at a path or at sqlite:///FILE?table=NAME. Raises GanvasError for one that cannot be read."""
    import_arrow()  # first: without it, nothing else is worth a message
    if path.startswith(SQLITE_PREFIX):
        return open_sqlite_table(path)
    location = Path(path).expanduser()
    suffix = Path(location.name.lower().removesuffix(".gz")).suffix
    if not is_table_path(path):
        raise GanvasError(f"{path} is no table: give a file that ends in {', '.join(OPENERS)}, or sqlite:///FILE?table=NAME")
    if is_stored_frame(location) and not location.exists():
        raise GanvasError(f"{path} held a frame, and is gone from the cache: call ganvas.train with the same frame once more")
    try:
        return OPENERS[suffix](location)
    except OSError as error:
        raise GanvasError(f"{path} cannot be read ({error.strerror or error}): check its name and permissions") from error


def read_table_rows(path: str, leave_out: Sequence[str] = (), min_rows: int = MIN_DATASET_SAMPLES) -> TableRows:
    """The rows of the table at a path, without the columns `leave_out`."""
    return read_open_table(open_table(path), leave_out, min_rows)


def read_frame(
    frame: Any, title: str = "frame", leave_out: Sequence[str] = (), min_rows: int = MIN_DATASET_SAMPLES
) -> TableRows:
    """The rows of a frame: an object with an Arrow stream (pandas, polars, DuckDB), a database's cursor, a dictionary."""
    return read_open_table(open_frame(frame, title), leave_out, min_rows)


def read_open_table(table: OpenTable, leave_out: Sequence[str] = (), min_rows: int = MIN_DATASET_SAMPLES) -> TableRows:
    """Read all rows once: find the columns' types and survey them. Raises GanvasError for fewer than `min_rows` rows."""
    table = _drop_columns(table, leave_out)
    if not table.is_text:
        table = simplify_types(table)
    string_type = import_arrow().string()
    sample, columns = RowSample(table.schema), [TypeGuess() for _ in table.schema]
    for block in table.read_blocks():
        for column, texts in zip(columns, block.columns, strict=True):
            if table.is_text or texts.type == string_type:
                column.add(texts)
        sample.add(block)
    if sample.row_count < min_rows:
        needed = "one is needed" if min_rows == 1 else "two are needed, and hundreds to learn from"
        raise GanvasError(f"{table.title} has {format_count(sample.row_count, 'row')}: {needed}")
    plans = [column.choose_plan() for column in columns]
    if not table.is_text:
        plans = [TextPlan("text", notes=plan.explain_texts()) for plan in plans]
    return _build_rows(_parse_blocks(table, plans) if table.is_text else table, sample, plans, table.is_text)


def _build_rows(table: OpenTable, sample: RowSample, plans: list[TextPlan], is_text: bool) -> TableRows:
    arrow, whole = import_arrow(), sample.build_table()
    if is_text:
        whole = arrow.Table.from_batches([_parse_block(b, plans, table.schema) for b in whole.to_batches()], table.schema)
    surveys = survey_table(whole, sample.row_count, [plan.notes for plan in plans])
    return TableRows(
        read_all_blocks=(lambda: iter(whole.to_batches())) if sample.is_whole else table.read_blocks,
        count=sample.row_count,
        sample=whole,
        surveys=surveys,
        fingerprint=table.fingerprint,
        title=f"{table.title} ({format_count(sample.row_count, 'row')}, {format_count(len(surveys), 'column')})",
        notes=(*table.notes, summarise_surveys(surveys, sample.row_count)),
    )


def _drop_columns(table: OpenTable, leave_out: Sequence[str]) -> OpenTable:
    if not leave_out:
        return table
    names: list[str] = list(table.schema.names)
    unknown_names = [name for name in leave_out if name not in names]
    if unknown_names:
        raise GanvasError(f"{table.title} has no column {unknown_names[0]!r} to leave out; it has {list_examples(names)}")
    remaining = [name for name in names if name not in leave_out]
    if not remaining:
        raise GanvasError(f"{table.title}: no column is left once {list_examples(leave_out)} are left out")

    def select_columns(block: Any) -> Any:
        return block.select(remaining)

    return _map_blocks(table, select_columns, _select_schema(table.schema, remaining))


def _select_schema(schema: Any, names: list[str]) -> Any:
    return import_arrow().schema([schema.field(name) for name in names])


def _parse_blocks(table: OpenTable, plans: list[TextPlan]) -> OpenTable:
    schema = build_text_schema(list(table.schema.names), plans)

    def parse_block(block: Any) -> Any:
        return _parse_block(block, plans, schema)

    return replace(_map_blocks(table, parse_block, schema), is_text=False)


def _parse_block(block: Any, plans: list[TextPlan], schema: Any) -> Any:
    columns = [parse_texts(texts, plan) for texts, plan in zip(block.columns, plans, strict=True)]
    return import_arrow().record_batch(columns, schema=schema)


def _map_blocks(table: OpenTable, convert: Any, schema: Any) -> OpenTable:
    def read_blocks() -> Iterator[Any]:
        return map(convert, table.read_blocks())

    return replace(table, read_blocks=read_blocks, schema=schema)
