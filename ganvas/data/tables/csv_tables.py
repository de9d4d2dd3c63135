"""Tables of separated values (CSV, TSV), read block by block as texts."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import fingerprint_files, read_file_stamp
from .opened import BLOCK_BYTES, OpenTable, check_column_names
from .streams import TextSurvey, open_bytes, survey_text

DELIMITERS = (",", ";", "\t", "|")
SNIFFED_LINES = 50  # that have to have one number of columns
CONVERTED_ENCODINGS = {"cp1252": "cp1252", "utf-16": "utf-16", "utf-32": "utf-32", "utf-8": "utf8"}  # as pyarrow names them


def open_csv_table(path: Path) -> OpenTable:
    """The table in a file with a line of names.

    Raises:
        GanvasError: an empty file, names twice, rows of different lengths, a quote that nothing closes.
    """
    survey = survey_text(path)
    if not survey.byte_count:
        raise GanvasError(f"{path} is empty: give a table with a line of names and one line a row")
    delimiter = _sniff_delimiter(path, survey)
    header = next(_read_records(path, survey, delimiter), [])
    names = check_column_names([name.strip() for name in header], str(path))
    unnamed = sum(not name.strip() for name in header)
    notes = (*survey.notes, *((f"{unnamed} columns without a name are called column_1 and so on",) if unnamed else ()))
    if survey.has_odd_quotes:
        _check_quotes(path, survey, delimiter)
    arrow = import_arrow()
    schema = arrow.schema([(name, arrow.string()) for name in names])
    fingerprint = fingerprint_files([path], [read_file_stamp(path)])
    return OpenTable(path.name, fingerprint, schema, lambda: _read_blocks(path, survey, delimiter, schema), True, notes)


def _read_blocks(path: Path, survey: TextSurvey, delimiter: str, schema: Any) -> Iterator[Any]:
    arrow, arrow_csv = import_arrow(), import_arrow("pyarrow.csv")
    with open_bytes(path) as file:
        try:
            yield from arrow_csv.open_csv(
                arrow.PythonFile(file, mode="r"),
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, column_names=schema.names, skip_rows_after_names=1,
                    encoding=CONVERTED_ENCODINGS[survey.encoding],
                ),
                parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(column_types=schema, strings_can_be_null=False),
            )  # fmt: skip
        except arrow.ArrowInvalid as error:
            _check_quotes(path, survey, delimiter)
            raise _explain_broken_row(path, survey, delimiter, str(error)) from error


def _open_text(path: Path, survey: TextSurvey) -> io.TextIOWrapper:
    encoding = "utf-8-sig" if survey.encoding == "utf-8" else survey.encoding
    return io.TextIOWrapper(open_bytes(path), encoding, errors="replace", newline="")


def _read_records(path: Path, survey: TextSurvey, delimiter: str) -> Iterator[list[str]]:
    with _open_text(path, survey) as text:
        yield from csv.reader(text, delimiter=delimiter)


def _sniff_delimiter(path: Path, survey: TextSurvey) -> str:
    """The delimiter that gives the first lines one number of columns, the largest; a comma where there is one column."""
    if path.name.lower().removesuffix(".gz").endswith(".tsv") and len(next(_read_records(path, survey, "\t"), [])) > 1:
        return "\t"
    scores: dict[str, int] = {}
    for delimiter in DELIMITERS:
        try:
            counts = [len(r) for r in islice(_read_records(path, survey, delimiter), SNIFFED_LINES) if r]
        except csv.Error:
            counts = list[int]()
        is_steady = sum(count == counts[0] for count in counts) >= 0.9 * len(counts) if counts else False
        scores[delimiter] = counts[0] if is_steady else 0
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 1 else ","


def _check_quotes(path: Path, survey: TextSurvey, delimiter: str) -> None:
    """Raises GanvasError with the line of a quote that nothing closes, or that text follows."""
    with _open_text(path, survey) as text:
        reader, start_line = csv.reader(text, delimiter=delimiter, strict=True), 1
        try:
            for _ in reader:
                start_line = reader.line_num + 1
        except csv.Error as error:
            raise GanvasError(
                f'{path}, line {start_line}: a quote (") is not closed, or text follows it ({error}): close it, '
                'and write "" for a quote within a text'
            ) from error


def _explain_broken_row(path: Path, survey: TextSurvey, delimiter: str, reason: str) -> GanvasError:
    """Which line has too many or too few cells, or else pyarrow's own words."""
    with _open_text(path, survey) as text:
        reader, start_line, columns = csv.reader(text, delimiter=delimiter), 1, 0
        try:
            for record in reader:
                columns = columns or len(record)
                if record and len(record) != columns:
                    return GanvasError(
                        f"{path}, line {start_line}: {len(record)} cells, but {columns} columns: repair the line, and put "
                        f"texts that hold {delimiter!r} into quotes"
                    )
                start_line = reader.line_num + 1
        except csv.Error:
            pass
    first_line = re.sub(r"^CSV parse error: ", "", reason.partition("\n")[0])[:200]
    return GanvasError(f"{path} cannot be read ({first_line}): repair it, or write it again")
