"""Tables of labels in other formats: dataset.json (NVIDIA), and metadata.csv or .jsonl (Hugging Face's imagefolder)."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from ..errors import GanvasError
from .captions.texts import are_captions
from .labels import (
    LABEL_COLUMNS,
    LABEL_TABLE_NAME,
    MAX_LABEL_CHARACTERS,
    MAX_TABLE_BYTES,
    SampleLabels,
    parse_cells,
    parse_label_table,
    parse_label_values,
)
from .names import list_examples, normalise_name

DATASET_JSON, METADATA_NAMES = "dataset.json", ("metadata.csv", "metadata.jsonl")
CAPTIONS_REASON = "holds captions and no classes: most texts differ. The recipe text2image learns from them"
FILE_COLUMN = "file_name"  # of Hugging Face's metadata


class TableReading(NamedTuple):
    """The labels in a table. Without labels, `reason` continues a sentence that begins with the table's name."""

    labels: SampleLabels
    reason: str = ""
    denies_labels: bool = False  # the table says that there are no labels


def parse_table(data: bytes, names: Sequence[str], other_names: Sequence[str], table: str, path: str) -> TableReading:
    """Labels of the files `names` from a table.

    Args:
        other_names: more files for which the table may have rows.
        path: of the table, for messages.

    Raises:
        GanvasError: the table cannot be read, lacks files, or has labels that do not fit.
    """
    if len(data) > MAX_TABLE_BYTES:
        raise GanvasError(f"{path} is larger than {MAX_TABLE_BYTES // 2**20} MB: refused")
    table_name = PurePosixPath(table).name
    if table_name == LABEL_TABLE_NAME:
        return _explain_captions(parse_label_table(data, names, table, path, other_names))
    try:
        rows = _parse_dataset_json(data) if table_name == DATASET_JSON else _parse_metadata(data, table_name)
    except (ValueError, TypeError, RecursionError, csv.Error) as error:  # ValueError: invalid UTF-8 or JSON
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
    return _explain_captions(SampleLabels() if are_captions(labels) else _convert_labels(labels, path))


def _explain_captions(labels: SampleLabels) -> TableReading:
    return TableReading(labels, "" if labels.values is not None else CAPTIONS_REASON)


def _parse_dataset_json(data: bytes) -> Mapping[str, Any] | str | None:
    """{"labels": [["00000/img00000000.png", 6], …]} -> label by path. None if "labels" is null. Or a reason not to use it."""
    content = json.loads(data.decode("utf-8-sig"))
    if not isinstance(content, dict) or "labels" not in content:
        return "is not in NVIDIA's format: it has no 'labels'"
    labels = content["labels"]
    if labels is None:
        return None
    pairs = labels.items() if isinstance(labels, dict) else labels
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ValueError("its 'labels' are not pairs of a path and a label")
    return {normalise_name(path): label for path, label in pairs}


def _parse_metadata(data: bytes, table_name: str) -> Mapping[str, Any] | str:
    """Rows with the columns `file_name` and `label` -> label by path. Or a reason not to use it."""
    text = data.decode("utf-8-sig")
    rows: list[Any] = (
        list(csv.DictReader(io.StringIO(text), strict=True))
        if table_name.endswith(".csv")
        else [json.loads(line) for line in text.splitlines() if line.strip()]
    )
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a line is not a JSON object")
    columns = list(dict.fromkeys(str(column) for row in rows for column in row))
    label_column = next((name for name in LABEL_COLUMNS if name in columns), None)
    if FILE_COLUMN not in columns or label_column is None:
        needed_columns = f"{FILE_COLUMN} and {LABEL_COLUMNS[0]}"
        return f"needs the columns {needed_columns}; it has {', '.join(columns[:9]) or 'none'}"
    return {normalise_name(str(row.get(FILE_COLUMN)).strip()): row.get(label_column) for row in rows}


def _convert_labels(labels: list[Any], path: str) -> SampleLabels:
    if any(isinstance(label, str) and len(label) > MAX_LABEL_CHARACTERS for label in labels):
        raise GanvasError(f"{path} has labels of more than {MAX_LABEL_CHARACTERS} characters: rename their column")
    if all(isinstance(label, str) for label in labels):  # cells of a table, which may hold numbers
        return parse_cells(np.array(labels)[:, None], ("label",), path)
    try:
        values = np.array(labels)
    except ValueError as error:
        raise GanvasError(f"{path} has labels of different lengths: correct them, or remove it") from error
    return parse_label_values(values, len(values), path)
