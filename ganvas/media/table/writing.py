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
    texts = [format_column(table.column(k), field) for k, field in enumerate(table.schema)]
    is_special = any(
        compute.any(compute.match_substring_regex(t, SPECIAL_CHARACTERS)).as_py()
        for t in texts
        if arrow.types.is_string(t.type)
    )
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(table.schema.names)
    rows = io.BytesIO()
    arrow_csv = import_arrow("pyarrow.csv")
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="needed" if is_special else "none")
    arrow_csv.write_csv(arrow.table(texts, names=table.schema.names), rows, options)
    return (header.getvalue().encode() if has_header else b"") + rows.getvalue()


def format_column(values: Any, field: Any) -> Any:
    """Values (pyarrow array) as they are written: as texts where their field gives a format or decimals."""
    arrow, types, compute = import_arrow(), import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
    metadata = field.metadata or {}
    if FORMAT_KEY in metadata and types.is_timestamp(values.type):
        return compute.strftime(values, format=metadata[FORMAT_KEY].decode())
    if DECIMALS_KEY in metadata and types.is_floating(values.type):
        return values.cast(arrow.decimal128(38, int(metadata[DECIMALS_KEY])), safe=False).cast(arrow.string())
    return values
