"""Write tables: CSV with dates and decimals as they were, or Parquet; and where they come from beside them."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core import DECIMALS_KEY, FORMAT_KEY
from ...errors import GanvasError
from ...system.arrow import import_arrow
from ...system.files import explain_os_errors, write_atomically, write_bytes

PROVENANCE_NAME, SAMPLES_NAME = "PROVENANCE.json", "samples.csv"
SPECIAL_CHARACTERS = '[",\r\n]'  # a text with one of them is quoted


def write_numbered_rows(table: Any, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
    """Write rows from number `start` on (pyarrow.Table) to samples.csv; the first also write PROVENANCE.json."""
    path = folder / SAMPLES_NAME
    if start == 0:
        write_bytes(folder / PROVENANCE_NAME, json.dumps(dict(metadata), indent=2).encode())
        return [write_bytes(path, format_csv(table, has_header=True))]
    with explain_os_errors("writing", path), path.open("ab") as file:
        file.write(format_csv(table, has_header=False))
    return [path]


def write_table_file(table: Any, path: Path, metadata: Mapping[str, str]) -> list[Path]:
    """Write a pyarrow.Table as .csv or .parquet, and PROVENANCE.json beside it. Raises GanvasError for another suffix."""
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise GanvasError(f"{path} ends in {suffix or 'no suffix'}: tables are written as .csv or .parquet")
    provenance = write_bytes(path.with_name(PROVENANCE_NAME), json.dumps(dict(metadata), indent=2).encode())
    if suffix == ".csv":
        return [write_bytes(path, format_csv(table, has_header=True)), provenance]
    marks = {**(table.schema.metadata or {}), b"ganvas": json.dumps(dict(metadata)).encode()}
    with explain_os_errors("writing", path):
        marked_table, parquet = table.replace_schema_metadata(marks), import_arrow("pyarrow.parquet")
        write_atomically(path, lambda temporary: parquet.write_table(marked_table, temporary))
    return [path, provenance]


def format_csv(table: Any, has_header: bool) -> bytes:
    """The table (pyarrow.Table) as UTF-8 text; missing values are empty cells."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(table.schema.names)
    blank = '""' if table.num_columns == 1 else ""  # an empty line is no row
    cells = [quote_texts(format_column(table.column(k), field)) for k, field in enumerate(table.schema)]
    cells = [compute.fill_null(column.cast(arrow.large_string()), blank) for column in cells]
    lines = compute.binary_join_element_wise(*cells, arrow.scalar(",", arrow.large_string())).to_pylist()
    return ((header.getvalue() if has_header else "") + "".join(f"{line}\n" for line in lines)).encode()


def quote_texts(values: Any) -> Any:
    """Values (pyarrow array); texts that need quotes have them."""
    types, compute = import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
    if not (types.is_string(values.type) or types.is_large_string(values.type)):
        return values
    mark, nothing = (import_arrow().scalar(text, values.type) for text in ('"', ""))
    quoted = compute.binary_join_element_wise(mark, compute.replace_substring(values, '"', '""'), mark, nothing)
    return compute.if_else(compute.match_substring_regex(values, SPECIAL_CHARACTERS), quoted, values)


def format_column(values: Any, field: Any) -> Any:
    """Values (pyarrow array) as they are written: as texts where their field gives a format or decimals."""
    arrow, types, compute = import_arrow(), import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
    metadata = field.metadata or {}
    if FORMAT_KEY in metadata and types.is_timestamp(values.type):
        return compute.strftime(values, format=metadata[FORMAT_KEY].decode())
    if DECIMALS_KEY in metadata and types.is_floating(values.type):
        return values.cast(arrow.decimal128(38, int(metadata[DECIMALS_KEY])), safe=False).cast(arrow.string())
    return values
