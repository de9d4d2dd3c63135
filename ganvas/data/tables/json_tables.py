"""Tables of JSON lines: one object a line. Their values are read as texts, as those of a CSV file."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import fingerprint_files, read_file_stamp
from .opened import OpenTable, check_column_names
from .streams import open_bytes, survey_text
from .text_blocks import build_text_block

BLOCK_LINES = 8192


def open_json_table(path: Path) -> OpenTable:
    """The table in a file with one JSON object a line. Raises GanvasError for a line that is none; it names the line."""
    if survey_text(path).encoding != "utf-8":
        raise GanvasError(f"{path} is no UTF-8, as JSON has to be: save it as UTF-8")
    names = check_column_names(list(dict.fromkeys(key for row in _read_rows(path) for key in row)), str(path))
    arrow = import_arrow()
    schema = arrow.schema([(name, arrow.string()) for name in names])
    fingerprint = fingerprint_files([path], [read_file_stamp(path)])
    return OpenTable(path.name, fingerprint, schema, lambda: _read_blocks(path, schema), True)


def _read_blocks(path: Path, schema: Any) -> Iterator[Any]:
    rows = _read_rows(path)
    while block := list(islice(rows, BLOCK_LINES)):
        yield build_text_block([[row.get(name) for row in block] for name in schema.names], schema)


def _read_rows(path: Path) -> Iterator[dict[str, Any]]:
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
            except ValueError as error:
                raise GanvasError(f"{path}, line {number}: no JSON ({error}): write one object a line") from error
            if not isinstance(row, dict):
                raise GanvasError(f"{path}, line {number}: no JSON object: write one a line, with the columns' names as keys")
            yield row
