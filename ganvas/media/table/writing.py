"""Write tables: CSV with dates and decimals as they were, or Parquet; and where they come from beside them."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from ...core import DECIMALS_KEY, FORMAT_KEY
from ...errors import GanvasError
from ...system.arrow import import_arrow
from ...system.files import explain_os_errors, remove_leftovers, write_atomically, write_bytes

PROVENANCE_NAME, SAMPLES_NAME = "PROVENANCE.json", "samples.csv"
SPECIAL_CHARACTERS = '[",\t\r\n]'  # a text with one of them is quoted


def write_numbered_rows(
    table: Any, folder: Path, start: int, metadata: Mapping[str, str], name: str = SAMPLES_NAME
) -> list[Path]:
    """Write rows from number `start` on (pyarrow.Table) to a .csv file; the first also write PROVENANCE.json."""
    path = folder / name
    if start == 0:
        write_bytes(folder / PROVENANCE_NAME, json.dumps(dict(metadata), indent=2).encode())
        return [write_bytes(path, format_csv(table, has_header=True))]
    with explain_os_errors("writing", path), path.open("ab") as file:
        file.write(format_csv(table, has_header=False))
    return [path]


def write_table_file(table: Any, path: Path, metadata: Mapping[str, str]) -> list[Path]:
    """`write_table_parts` of a whole pyarrow.Table."""
    return write_table_parts([table], path, metadata)


def write_table_parts(tables: Iterable[Any], path: Path, metadata: Mapping[str, str]) -> list[Path]:
    """Write pyarrow.Tables, one after the other, as one .csv, .tsv, .jsonl or .parquet, and PROVENANCE.json beside it.

    The file appears when it is complete.

    Raises:
        GanvasError: another suffix, or a folder that cannot be written.
    """
    writers = {".csv": _write_csv, ".tsv": _write_tsv, ".jsonl": _write_json_lines, ".parquet": _write_parquet}
    suffix = path.suffix.lower()
    if suffix not in writers:
        raise GanvasError(f"{path} ends in {suffix or 'no suffix'}: tables are written as {', '.join(writers)}")
    with explain_os_errors("writing", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent, lambda name: name == path.name)
        write_atomically(path, lambda temporary: writers[suffix](tables, temporary, metadata))
    return [path, write_bytes(path.with_name(PROVENANCE_NAME), json.dumps(dict(metadata), indent=2).encode())]


def _write_csv(tables: Iterable[Any], path: Path, metadata: Mapping[str, str], delimiter: str = ",") -> None:
    with path.open("wb") as file:
        for k, table in enumerate(tables):
            file.write(format_csv(table, has_header=not k, delimiter=delimiter))


def _write_tsv(tables: Iterable[Any], path: Path, metadata: Mapping[str, str]) -> None:
    _write_csv(tables, path, metadata, "\t")


def _write_json_lines(tables: Iterable[Any], path: Path, metadata: Mapping[str, str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for table in tables:
            columns = [format_column(table.column(k), field).to_pylist() for k, field in enumerate(table.schema)]
            for values in zip(*columns, strict=True):
                row = dict(zip(table.schema.names, values, strict=True))
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _write_parquet(tables: Iterable[Any], path: Path, metadata: Mapping[str, str]) -> None:
    parquet, tables = import_arrow("pyarrow.parquet"), iter(tables)
    first = next(tables)
    marks = {**(first.schema.metadata or {}), b"ganvas": json.dumps(dict(metadata)).encode()}
    with parquet.ParquetWriter(path, first.schema.with_metadata(marks)) as writer:
        for table in chain([first], tables):
            writer.write_table(table.replace_schema_metadata(marks))


def format_csv(table: Any, has_header: bool, delimiter: str = ",") -> bytes:
    """The table (pyarrow.Table) as UTF-8 text; missing values are empty cells."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    header = io.StringIO()
    csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(table.schema.names)
    blank = '""' if table.num_columns == 1 else ""  # an empty line is no row
    cells = [quote_texts(format_column(table.column(k), field)) for k, field in enumerate(table.schema)]
    cells = [compute.fill_null(column.cast(arrow.large_string()), blank) for column in cells]
    lines = compute.binary_join_element_wise(*cells, arrow.scalar(delimiter, arrow.large_string())).to_pylist()
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
