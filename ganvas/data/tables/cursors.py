"""Results of databases: a cursor of any library that follows Python's DB-API (PEP 249), after its `execute`."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import GanvasError
from ...system.arrow import import_arrow
from .opened import OpenTable, check_column_names
from .text_blocks import build_text_block

FETCHED_ROWS = 8192  # at a time


def is_cursor(value: Any) -> bool:
    return hasattr(value, "fetchmany") and hasattr(value, "description")


def open_cursor(cursor: Any, title: str) -> OpenTable:
    """The rows that a cursor has yet to give, which can be read once. Databases name their types each in its own way.

    So values are taken as texts, and their types are found in all rows, as for a CSV file.

    Raises:
        GanvasError: a cursor without a result, or with several columns of one name.
    """
    if not cursor.description:
        raise GanvasError(f"{title}: the cursor has no result: call its execute with a SELECT first, and give it then")
    names = check_column_names([str(column[0]) for column in cursor.description], title)
    arrow = import_arrow()
    schema = arrow.schema([(name, arrow.string()) for name in names])

    def read_blocks() -> Iterator[Any]:
        while rows := cursor.fetchmany(FETCHED_ROWS):
            yield build_text_block(list(zip(*map(_list_values, rows), strict=True)), schema)

    return OpenTable(title, "", schema, read_blocks, is_text=True)


def _list_values(row: Any) -> Any:
    """A row's values in their order, also of rows that are mappings by name."""
    return row.values() if isinstance(row, Mapping) else row
