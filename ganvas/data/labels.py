"""What samples are labelled with: the values that come with arrays, the folders that files lie in, or a table beside them."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..core import Condition
from ..errors import GanvasError

TABLE = "labels.csv"
MOST, LONGEST = 256 * 2**20, 256  # bytes of a table, characters of a label
EXAMPLES = 256  # vectors that a condition keeps, for samples that nobody asks a label of


class Labels(NamedTuple):
    """int64 [N] counting into `classes`; or float32 [N, K], whose columns `classes` names; or none."""

    values: np.ndarray | None = None
    classes: tuple[str, ...] = ()


def condition(values: np.ndarray | Tensor | None, classes: tuple[str, ...]) -> Condition | None:
    """What such labels ask of a sample: to be of a class, or like a vector (of 0 and 1 where several may hold at once)."""
    if values is None:
        return None
    if values.ndim == 2:
        some = values[:: max(1, len(values) // EXAMPLES)][:EXAMPLES]
        return Condition("vector", values.shape[1], classes, examples=tuple(tuple(row) for row in some.tolist()))
    size = len(classes) or int(values.max()) + 1
    counts = np.bincount(values.cpu().numpy() if isinstance(values, Tensor) else values, minlength=size)
    return Condition("class", size, classes, tuple((counts / counts.sum()).tolist()))


def of_values(values: np.ndarray, count: int, whose: str) -> Labels:
    """A label a sample: whole numbers or words [count], which are classes, or numbers [count, K].

    Raises:
        GanvasError: another shape or type, or numbers that are not finite.
    """
    kinds = {1: "iubU", 2: "iubf"}
    if len(values) != count or values.dtype.kind not in kinds.get(values.ndim, "") or 0 in values.shape[1:]:
        raise GanvasError(
            f"{whose} has {count:,} samples and labels of shape {values.shape} and type {values.dtype}: "
            "give one whole number or word a sample, or a row of numbers"
        )
    if values.ndim == 1:
        found, index = np.unique(values, return_inverse=True)
        return Labels(index.astype(np.int64), tuple(str(v) for v in found))
    if not np.isfinite(values).all():
        raise GanvasError(f"{whose} has labels that are not finite: correct or remove them")
    return Labels(values.astype(np.float32), tuple(str(k) for k in range(values.shape[1])))


def table_among(names: Sequence[str], everything: Sequence[str]) -> str | None:
    """The path of the uppermost labels.csv whose folder holds all of the files `names`."""
    tables = sorted((e for e in everything if PurePosixPath(e).name == TABLE), key=len)
    return next((t for t in tables if all(name.startswith(t.removesuffix(TABLE)) for name in names)), None)


def of_files(names: Sequence[str], table: str | None, place: str, read: Callable[[str], bytes]) -> Labels:
    """Labels of the files `names` in a place: from the table there, if there is one, else from the files' folders.

    Raises:
        GanvasError: a table that cannot be read or does not fit the files.
    """
    return of_folders(names) if table is None else of_table(read(table), names, table, f"{place}/{table}")


def of_folders(names: Sequence[str]) -> Labels:
    """From paths like "cat/1.png": the folders side by side below what all paths share, if each file is in one."""
    parts = [name.split("/")[:-1] for name in names]
    depth = 0
    while all(len(p) > depth for p in parts) and len({p[depth] for p in parts}) == 1:
        depth += 1
    if not all(len(p) > depth for p in parts):
        return Labels()
    return of_values(np.array([p[depth] for p in parts]), len(parts), "")


def of_table(data: bytes, names: Sequence[str], table: str, where: str) -> Labels:
    """From a table of comma-separated values: first the file's path from the table's folder, then its labels.

    One column of words or of whole numbers (without a point) are classes; else the columns are numbers. A first line
    whose first cell is no such file names the columns.
    """
    folder = table.removesuffix(TABLE)
    files = {name.removeprefix(folder): i for i, name in enumerate(names)}
    if len(files) < len(names):
        raise GanvasError(f"{where} cannot tell {len(names) - len(files):,} files of the same path apart: rename them")
    header, rows = _parsed(data, where, files)
    places = _places([row[0] for row in rows], files, where)
    for row in rows:
        wrong = next((i for i, cell in enumerate(row) if i and not 0 < len(cell) <= LONGEST), None)
        if wrong is not None:
            fault = "no" if not row[wrong] else "too long a"
            raise GanvasError(f"{where} has {fault} {header[wrong]} for {row[0]}: a label is 1 to {LONGEST} characters")
    return _of_cells(np.array([row[1:] for row in rows])[np.argsort(places)], tuple(header[1:]), where)


def _parsed(data: bytes, where: str, files: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """The columns' names and the rows, as many cells in each."""
    if len(data) > MOST:
        raise GanvasError(f"{where} is larger than {MOST // 2**20} MB: refused")
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        rows = [[cell.strip() for cell in row] for row in lines if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise GanvasError(f"{where} cannot be read ({error}): save it as comma-separated values in UTF-8") from error
    if not rows or len(rows[0]) < 2:
        raise GanvasError(f"{where} needs two columns or more, parted by commas: the file's path, then its labels")
    width = len(rows[0])
    uneven = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if uneven is not None:
        raise GanvasError(f"{where} has {len(rows[uneven])} cells in row {uneven + 1}, not {width}: correct it")
    for row in rows:
        row[0] = row[0].replace("\\", "/").removeprefix("./")
    suffixes = {PurePosixPath(name).suffix.lower() for name in files}
    if PurePosixPath(rows[0][0]).suffix.lower() in suffixes:
        return ["file", *(str(k) for k in range(width - 1))], rows
    if len(set(rows[0])) < width:
        raise GanvasError(f"{where} has columns of the same name ({', '.join(rows[0][:9])}): rename them in its first line")
    return rows[0], rows[1:]


def _places(paths: list[str], files: dict[str, int], where: str) -> np.ndarray:
    """Where among the files each row's is; every file has one row and every row a file."""
    seen = Counter(paths)
    for wrong, what in (
        ([path for path, count in seen.items() if count > 1], "more than one row for"),
        ([path for path in seen if path not in files], "rows for what is not there:"),
        ([path for path in files if path not in seen], "no row for"),
    ):
        if wrong:
            first = ", ".join(wrong[:3]) + (", …" if len(wrong) > 3 else "")
            raise GanvasError(f"{where} has {what} {first} ({len(wrong):,} of {len(files):,} files): complete or correct it")
    return np.array([files[path] for path in paths])


def _of_cells(cells: np.ndarray, header: tuple[str, ...], where: str) -> Labels:
    if cells.shape[1] == 1:
        column = cells[:, 0]
        try:
            return of_values(column.astype(np.int64), len(column), where)
        except (ValueError, OverflowError):
            pass
        try:
            column.astype(np.float64)
        except ValueError:
            return of_values(column, len(column), where)
    try:
        numbers = cells.astype(np.float64)
    except ValueError as error:
        raise GanvasError(f"{where}: {error}: give one column of words, or columns of numbers") from error
    return of_values(numbers, len(numbers), where)._replace(classes=header)
