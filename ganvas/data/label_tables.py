"""Files of labels as others write them: NVIDIA's dataset.json, and metadata.csv or .jsonl of Hugging Face's imagefolder."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from ..errors import GanvasError
from .labels import (
    LABEL_COLUMNS,
    LABEL_TABLE_NAME,
    MAX_TABLE_BYTES,
    SampleLabels,
    parse_cells,
    parse_label_table,
    parse_label_values,
)
from .names import list_examples, normalise_name

DATASET_JSON, METADATA_NAMES = "dataset.json", ("metadata.csv", "metadata.jsonl")
FILE_COLUMN = "file_name"  # of Hugging Face's metadata


class TableReading(NamedTuple):
    """The labels in a table; or why it gives none, in words that go on after its name."""

    labels: SampleLabels
    reason: str = ""
    denies_labels: bool = False  # it says that there are none


def parse_table(data: bytes, names: Sequence[str], other_names: Sequence[str], table: str, path: str) -> TableReading:
    """Labels of the files `names` from the table of this name.

    Args:
        other_names: files that it may have rows for as well.
        path: the table's, for messages.

    Raises:
        GanvasError: a table that lacks files, or whose labels do not fit.
    """
    if len(data) > MAX_TABLE_BYTES:
        raise GanvasError(f"{path} is larger than {MAX_TABLE_BYTES // 2**20} MB: refused")
    table_name = PurePosixPath(table).name
    if table_name == LABEL_TABLE_NAME:
        return TableReading(parse_label_table(data, names, table, path, other_names))
    try:
        rows = _parse_dataset_json(data) if table_name == DATASET_JSON else _parse_metadata(data, table_name)
    except (ValueError, csv.Error) as error:  # of UTF-8 and of JSON as well
        raise GanvasError(f"{path} cannot be read ({error}): write it again, or remove it to train without it") from error
    if rows is None:
        return TableReading(SampleLabels(), "says that there are no labels", denies_labels=True)
    if isinstance(rows, str):
        return TableReading(SampleLabels(), rows)
    folder = table.removesuffix(table_name)
    labels = [rows.get(name.removeprefix(folder)) for name in names]
    unlabelled_names = [name for name, label in zip(names, labels, strict=True) if label is None or label == ""]
    if unlabelled_names:
        raise GanvasError(
            f"{path} has no label for {list_examples(unlabelled_names)} ({len(unlabelled_names):,} of {len(names):,} files): "
            "complete it, or remove it to train without it"
        )
    return TableReading(_convert_labels(labels, path))


def _parse_dataset_json(data: bytes) -> Mapping[str, Any] | str | None:
    """{"labels": [["00000/img00000000.png", 6], …]} as labels by path; None if it says that there are none."""
    content = json.loads(data.decode("utf-8-sig"))
    if not isinstance(content, dict) or "labels" not in content:
        return "is none of NVIDIA's: it has no 'labels'"
    labels = content["labels"]
    if labels is None:
        return None
    pairs = labels.items() if isinstance(labels, dict) else labels
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ValueError("its 'labels' are no pairs of a path and a label")
    return {normalise_name(path): label for path, label in pairs}


def _parse_metadata(data: bytes, table_name: str) -> Mapping[str, Any] | str:
    """Rows with a column `file_name` and one of labels, as labels by path."""
    text = data.decode("utf-8-sig")
    rows: list[Any] = (
        list(csv.DictReader(io.StringIO(text), strict=True))
        if table_name.endswith(".csv")
        else [json.loads(line) for line in text.splitlines() if line.strip()]
    )
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a line is no JSON object")
    columns = list(dict.fromkeys(str(column) for row in rows for column in row))
    label_column = next((name for name in LABEL_COLUMNS if name in columns), None)
    if FILE_COLUMN not in columns or label_column is None:
        needed_columns = f"{FILE_COLUMN} and {LABEL_COLUMNS[0]}"
        return f"needs the columns {needed_columns}; it has {', '.join(columns[:9]) or 'none'}"
    return {normalise_name(str(row.get(FILE_COLUMN)).strip()): row.get(label_column) for row in rows}


def _convert_labels(labels: list[Any], path: str) -> SampleLabels:
    if all(isinstance(label, str) for label in labels):  # a table's cells, which may be numbers
        return parse_cells(np.array(labels)[:, None], ("label",), path)
    try:
        values = np.array(labels)
    except ValueError as error:
        raise GanvasError(f"{path} has labels of several lengths: make them even, or remove it") from error
    return parse_label_values(values, len(values), path)
