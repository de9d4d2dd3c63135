"""Tables of captions: captions.csv, captions.tsv, and Hugging Face's metadata.jsonl and metadata.csv."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from ...errors import GanvasError
from ..labels import LABEL_COLUMNS, LABEL_TABLE_NAME, MAX_TABLE_BYTES
from ..listing import FileListing, ListedFile
from .reading import CaptionReading, CaptionRow, PictureIndex
from .texts import are_captions, decode_file_text

CAPTION_TABLES = ("captions.csv", "captions.tsv", "caption.csv", "caption.tsv", "captions.txt")  # the last is Flickr8k's
TABLES_WITH_CAPTIONS = (*CAPTION_TABLES, "metadata.jsonl", "metadata.csv", LABEL_TABLE_NAME)  # the first kind with captions
FILE_COLUMNS = ("file_name", "file", "image", "filename", "path")
TEXT_COLUMNS = ("text", "caption", "captions", "texts")
NUMBERED_TEXT_COLUMN = re.compile(r"(text|caption)[ _]?\d+")
JSONL_SUFFIX, TSV_SUFFIX = ".jsonl", ".tsv"


class CaptionTable(NamedTuple):
    """A table: each row is a mapping from columns to values."""

    file_column: str
    text_columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]


def read_table_captions(listing: FileListing, pictures: PictureIndex, table: str | None = None) -> CaptionReading | None:
    """The captions of the tables in a set; None if no table has captions.

    table: its path, if this one is meant and no other.

    Raises:
        GanvasError: a table that cannot be read, or one that is called after captions and has none.
    """
    for table_name in TABLES_WITH_CAPTIONS if table is None else (PurePosixPath(table).name,):
        files = [file for file in listing.files if (file.name == table if table else file.name.split("/")[-1] == table_name)]
        tables = [(file, parse_caption_table(file, pictures)) for file in files]
        rows = [row for file, parsed in tables if parsed for row in _list_rows(file.name, parsed, pictures)]
        if rows:
            return CaptionReading(" and ".join(file.name for file, parsed in tables if parsed), rows)
    return None


def parse_caption_table(file: ListedFile, pictures: PictureIndex) -> CaptionTable | None:
    """A table with a column of files and one of texts, or more; None for one that holds something else.

    Raises:
        GanvasError: the table cannot be read; or its name says that it has captions, and it has none.
    """
    name = PurePosixPath(file.name).name.lower()
    if file.stamp[1] > MAX_TABLE_BYTES:
        raise GanvasError(f"{file.name} is larger than {MAX_TABLE_BYTES // 2**20} MB: refused")
    try:
        text = decode_file_text(file.read())
        columns, rows = _parse_json_lines(text) if name.endswith(JSONL_SUFFIX) else _parse_cells(text, name, pictures)
    except GanvasError as error:
        raise GanvasError(f"{file.name} {error}") from None
    except (ValueError, RecursionError, csv.Error) as error:
        raise GanvasError(f"{file.name} cannot be read ({error}): correct it, or write it again") from None
    table = _choose_columns(columns, rows)
    if table is None and name in CAPTION_TABLES:
        raise GanvasError(
            f"{file.name} has no captions: name its columns in the first line, {FILE_COLUMNS[0]} and {TEXT_COLUMNS[0]}; "
            f"it has {', '.join(columns[:9]) or 'none'}"
        )
    if not rows and name in CAPTION_TABLES:
        raise GanvasError(f"{file.name} has no line below its first one: write a line for each picture")
    return table


def _choose_columns(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> CaptionTable | None:
    names = {column.lower(): column for column in reversed(columns)}
    file_column = next((names[name] for name in FILE_COLUMNS if name in names), None)
    text_columns = choose_text_columns(columns, rows)
    return CaptionTable(file_column, text_columns, rows) if file_column and text_columns else None


def choose_text_columns(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The columns of captions: text or caption, caption_0 and on, or one of labels that holds captions; () without any."""
    names = {column.lower(): column for column in reversed(columns)}
    if texts := [names[name] for name in TEXT_COLUMNS if name in names]:
        return (texts[0],)
    if numbered := tuple(column for column in columns if NUMBERED_TEXT_COLUMN.fullmatch(column.lower())):
        return numbered
    labels = [names[name] for name in LABEL_COLUMNS if name in names][:1]
    return tuple(label for label in labels if are_captions([row.get(label) for row in rows]))


def _parse_json_lines(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    """One JSON object a line -> (all columns, rows)."""
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise GanvasError("has a line that is no JSON object: write one a picture, with file_name and text")
    return list(dict.fromkeys(column for row in rows for column in row)), rows


def _parse_cells(text: str, name: str, pictures: PictureIndex) -> tuple[list[str], list[dict[str, Any]]]:
    """Lines of cells -> (columns, rows). Without a line of names, the first column is the file and the second the caption."""
    delimiter = "\t" if name.endswith(TSV_SUFFIX) else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = [[cell.strip() for cell in row] for row in lines if any(cell.strip() for cell in row)]
    if not rows:
        return [], []
    is_headless = pictures.looks_like_picture(rows[0][0]) and not pictures.looks_like_picture(rows[0][-1])
    columns = [FILE_COLUMNS[0], LABEL_COLUMNS[0] if name == LABEL_TABLE_NAME else TEXT_COLUMNS[0]] if is_headless else rows[0]
    if len(set(columns)) < len(columns):
        raise GanvasError(f"has columns of the same name ({', '.join(columns[:9])}): rename them in its first line")
    rows = rows if is_headless else rows[1:]
    uneven = next((row for row in rows if len(row) != len(columns)), None)
    if uneven is not None and name != LABEL_TABLE_NAME:
        raise GanvasError(
            f"has {len(uneven)} cells, not {len(columns)}, in the line of {uneven[0]!r}: put captions with "
            f"{'commas' if delimiter == ',' else 'tabs'} into quotation marks"
        )
    return columns, [dict(zip(columns, row, strict=False)) for row in rows]


def _list_rows(table_name: str, table: CaptionTable, pictures: PictureIndex) -> list[CaptionRow]:
    folder, rows = table_name.removesuffix(PurePosixPath(table_name).name), list[CaptionRow]()
    for cells in table.rows:
        name = str(cells.get(table.file_column) or "")
        others = {column: value for column, value in cells.items() if column != table.file_column}
        rows.append(build_row(name, pictures.find_picture(name, folder), others, table.text_columns))
    return rows


def build_row(name: str, picture: str | None, cells: Mapping[str, Any], text_columns: Sequence[str]) -> CaptionRow:
    """The row of a table: its captions, and the other cells. A cell of captions holds a text or a list of them."""
    captions = tuple(text for column in text_columns for text in _list_texts(cells.get(column)))
    return CaptionRow(name, picture, captions, {column: cells[column] for column in cells if column not in text_columns})


def _list_texts(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return ["" if text is None else str(text) for text in values]
