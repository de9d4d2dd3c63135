"""Labels of samples: values that come with arrays or tables, or our own table next to files, labels.csv."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..core import Condition
from ..errors import GanvasError
from .captions.texts import are_captions
from .conditions import ClassCondition, VectorCondition
from .names import list_examples, normalise_name

LABEL_TABLE_NAME = "labels.csv"
LABEL_COLUMNS = ("label", "labels", "fine_label")  # what others call theirs
MAX_TABLE_BYTES, MAX_LABEL_CHARACTERS = 256 * 2**20, 256  # bytes of a table, characters of a label
LARGEST_EXACT_FLOAT = 2**53  # float64 holds every whole number below it exactly
MAX_CONDITION_EXAMPLES = 256  # vectors that a condition keeps, for samples without a requested label


class SampleLabels(NamedTuple):
    """int64 [N], indices into `classes`; or float32 [N, K], with the names of its columns in `classes`; or none."""

    values: np.ndarray | None = None
    classes: tuple[str, ...] = ()


def derive_condition(values: np.ndarray | Tensor | None, classes: tuple[str, ...]) -> Condition | None:
    """The condition that labels define: a class, or a vector (of 0 and 1 if several attributes may hold at once)."""
    if values is None:
        return None
    if values.ndim == 2:
        example_rows = values[:: max(1, len(values) // MAX_CONDITION_EXAMPLES)][:MAX_CONDITION_EXAMPLES]
        return VectorCondition(names=classes, examples=tuple(tuple(row) for row in example_rows.tolist()))
    size = len(classes) or int(values.max()) + 1
    counts = np.bincount(values.cpu().numpy() if isinstance(values, Tensor) else values, minlength=size)
    return ClassCondition(names=classes, shares=tuple((counts / counts.sum()).tolist()))


def parse_label_values(values: np.ndarray, count: int, source: str, columns: tuple[str, ...] = ()) -> SampleLabels:
    """One label per sample: whole numbers or words, which are classes, or other numbers [count, K].

    Classes may come as [count, 1], as floating-point numbers, or as rows with a single 1 in them (one-hot).

    Args:
        columns: the columns' names; () numbers them.

    Raises:
        GanvasError: another shape or type, or numbers that are not finite.
    """
    kinds = {1: "iubU", 2: "iubf"}
    values = simplify_label_values(values)
    if len(values) != count or values.dtype.kind not in kinds.get(values.ndim, "") or 0 in values.shape[1:]:
        raise GanvasError(
            f"{source} has {count:,} samples and labels of shape {values.shape} and type {values.dtype}: "
            "give one whole number or word per sample, or a row of numbers"
        )
    if values.ndim == 1:
        distinct_values, index = np.unique(values, return_inverse=True)
        return SampleLabels(index.astype(np.int64), tuple(str(v) for v in distinct_values))
    if not np.isfinite(values).all():
        raise GanvasError(f"{source} has labels that are not finite: correct or remove them")
    names = columns or tuple(str(k) for k in range(values.shape[1]))
    is_one_hot = values.shape[1] > 1 and ((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all()
    return SampleLabels(values.argmax(1), names) if is_one_hot else SampleLabels(values.astype(np.float32), names)


def simplify_label_values(values: np.ndarray) -> np.ndarray:
    """The same labels in their plainest form: bytes as words; one column of whole numbers or words as [N] of int or str."""
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    column = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if column.ndim != 1 or column.dtype.kind not in "iubUf":
        return values
    if column.dtype.kind != "f":
        return column
    is_whole = np.isfinite(column).all() and (column == column.round()).all() and (np.abs(column) < LARGEST_EXACT_FLOAT).all()
    return column.astype(np.int64) if is_whole else values


def parse_label_table(
    data: bytes, names: Sequence[str], table: str, table_path: str, other_names: Sequence[str] = ()
) -> SampleLabels:
    """Labels from comma-separated values: in each row a file's path, relative to the table, then its labels.

    One column of words or of whole numbers gives classes. So do columns of which, in every row, one is 1 and the others are 0.
    Otherwise the columns are numbers. Captions are no labels, so a column of them gives none. The first line names the columns
    if its first cell is not such a file. The table may also have rows for `other_names`.
    """
    folder = table.removesuffix(LABEL_TABLE_NAME)
    files = {name.removeprefix(folder): i for i, name in enumerate(names)}
    if len(files) < len(names):
        raise GanvasError(f"{table_path} has {len(names) - len(files):,} more files of the same path: rename them")
    header, rows = _parse_rows(data, table_path, files)
    other_files = {name.removeprefix(folder) for name in other_names}
    rows = [row for row in rows if row[0] not in other_files]
    file_positions = _locate_rows([row[0] for row in rows], files, table_path)
    if len(header) == 2 and are_captions([row[1] for row in rows]):
        return SampleLabels()
    for row in rows:
        wrong_column = next((i for i, cell in enumerate(row) if i and not 0 < len(cell) <= MAX_LABEL_CHARACTERS), None)
        if wrong_column is not None:
            fault = "no" if not row[wrong_column] else "too long a"
            raise GanvasError(
                f"{table_path} has {fault} {header[wrong_column]} for {row[0]}: a label is 1 to {MAX_LABEL_CHARACTERS} "
                "characters"
            )
    return parse_cells(np.array([row[1:] for row in rows])[np.argsort(file_positions)], tuple(header[1:]), table_path)


def _parse_rows(data: bytes, table_path: str, files: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """The columns' names and the rows, all of the same length."""
    if len(data) > MAX_TABLE_BYTES:
        raise GanvasError(f"{table_path} is larger than {MAX_TABLE_BYTES // 2**20} MB: refused")
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        rows = [[cell.strip() for cell in row] for row in lines if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise GanvasError(f"{table_path} cannot be read ({error}): save it as comma-separated values in UTF-8") from error
    if not rows or len(rows[0]) < 2:
        raise GanvasError(f"{table_path} needs two columns or more, separated by commas: the file's path, then its labels")
    width = len(rows[0])
    uneven_row = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if uneven_row is not None:
        raise GanvasError(f"{table_path} has {len(rows[uneven_row])} cells in row {uneven_row + 1}, not {width}: correct it")
    for row in rows:
        row[0] = normalise_name(row[0])
    suffixes = {PurePosixPath(name).suffix.lower() for name in files}
    if PurePosixPath(rows[0][0]).suffix.lower() in suffixes:
        return ["file", *(str(k) for k in range(width - 1))], rows
    if len(set(rows[0])) < width:
        raise GanvasError(
            f"{table_path} has columns of the same name ({', '.join(rows[0][:9])}): rename them in its first line"
        )
    return rows[0], rows[1:]


def _locate_rows(paths: list[str], files: dict[str, int], table_path: str) -> np.ndarray:
    """The index of each row's file. Raises GanvasError unless every file has one row, and every row a file."""
    row_counts = Counter(paths)
    for wrong_paths, problem in (
        ([path for path, count in row_counts.items() if count > 1], "more than one row for"),
        ([path for path in row_counts if path not in files], "rows for missing files:"),
        ([path for path in files if path not in row_counts], "no row for"),
    ):
        if wrong_paths:
            raise GanvasError(
                f"{table_path} has {problem} {list_examples(wrong_paths)} ({len(wrong_paths):,} of {len(files):,} files): "
                "complete or correct it"
            )
    return np.array([files[path] for path in paths])


def parse_cells(cells: np.ndarray, header: tuple[str, ...], table_path: str) -> SampleLabels:
    """Cells of words [N, columns] as labels. Raises GanvasError for several columns that are not all numbers."""
    for number_type in (np.int64, np.float64):
        try:
            return parse_label_values(cells.astype(number_type), len(cells), table_path, header)
        except (ValueError, OverflowError) as error:
            fault = error
    if cells.shape[1] == 1:
        return parse_label_values(cells, len(cells), table_path)
    raise GanvasError(f"{table_path}: {fault}: give one column of words, or columns of numbers")
