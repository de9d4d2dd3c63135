"""A table of an SQLite database: sqlite:///file.db?table=orders."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import fingerprint_files, fingerprint_parts, read_file_stamp
from ..names import list_examples
from .cursors import FETCHED_ROWS
from .opened import OpenTable, check_column_names
from .text_blocks import build_text_block

SQLITE_PREFIX = "sqlite:///"


def open_sqlite_table(address: str) -> OpenTable:
    """The table that an address names. Raises GanvasError for a missing file or table; it lists the tables there are."""
    location, _, query = address.removeprefix(SQLITE_PREFIX).partition("?")
    path, table = Path(unquote(location)).expanduser(), "".join(parse_qs(query).get("table", []))
    if not path.is_file():
        raise GanvasError(f"{path} does not exist: give {SQLITE_PREFIX}FILE?table=NAME, with four slashes for an absolute path")
    try:
        with closing(_connect(path)) as database:
            tables = [n for (n,) in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table','view')")]
            if table not in tables:
                raise GanvasError(f"{path} has no table {table!r}; it has {list_examples(tables)}: give ?table=NAME")
            cursor = database.execute(f"SELECT * FROM {_quote(table)} LIMIT 0")
            names = check_column_names([description[0] for description in cursor.description], table)
    except sqlite3.Error as error:
        raise GanvasError(f"{path} is no SQLite database that can be read ({error}): give another file") from error
    arrow = import_arrow()
    schema = arrow.schema([(name, arrow.string()) for name in names])
    fingerprint = fingerprint_parts(fingerprint_files([path], [read_file_stamp(path)]), table)
    return OpenTable(f"{path.name}:{table}", fingerprint, schema, lambda: _read_blocks(path, table, schema), True)


def _read_blocks(path: Path, table: str, schema: Any) -> Iterator[Any]:
    try:
        with closing(_connect(path)) as database:
            cursor = database.execute(f"SELECT * FROM {_quote(table)}")
            while rows := cursor.fetchmany(FETCHED_ROWS):
                yield build_text_block([list(column) for column in zip(*rows, strict=True)], schema)
    except sqlite3.Error as error:
        raise GanvasError(f"{path} cannot be read ({error}): repair the database") from error


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
