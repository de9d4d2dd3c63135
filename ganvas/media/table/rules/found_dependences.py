"""Columns that follow from another one in all rows of a table."""

from collections.abc import Iterator

import numpy as np

from ....system.arrow import import_arrow
from .candidates import CandidateColumns
from .dependence import Dependence

MAX_PARENT_VALUES, MAX_NUMBER_PARENT_VALUES = 256, 64  # a column of numbers or dates loses its order as a parent
MIN_KNOWN_SHARE = 0.95  # of the rows: those whose parent k rows hold
Place = tuple[int, bool, int]  # of a column among all: those with fewer values first, then texts, then as in the table


def find_dependences(columns: CandidateColumns) -> Iterator[Dependence]:
    """For each column that follows from others, the one with the fewest values that decides it.

    Of columns that decide each other, one decides the rest: a text rather than a number.
    """
    counts = {name: int(codes.max()) + 1 for name, codes in columns.codes.items()}
    places = {name: (counts[name], not columns.is_text(name), k) for k, name in enumerate(columns.names)}
    parents = [name for name in columns.names if _can_be_parent(columns, name, counts[name])]
    for child in columns.names:
        for parent in sorted((name for name in parents if name != child), key=lambda name: places[name]):
            if _decides(columns, parent, child, counts[parent]) and _comes_first(columns, parent, child, counts, places):
                yield Dependence(parents=(parent,), child=child)
                break


def _comes_first(columns: CandidateColumns, parent: str, child: str, counts: dict[str, int], places: dict[str, Place]) -> bool:
    """Whether the child does not decide the parent as well, or has its place after it."""
    return counts[child] < counts[parent] or not _are_one_to_one(columns, parent, child) or places[parent] < places[child]


def _are_one_to_one(columns: CandidateColumns, parent: str, child: str) -> bool:
    return _maps_to(columns.codes[child], columns.codes[parent], int(columns.codes[child].max()) + 1)


def _can_be_parent(columns: CandidateColumns, name: str, count: int) -> bool:
    most = MAX_PARENT_VALUES if columns.is_text(name) else MAX_NUMBER_PARENT_VALUES
    if count > min(most, len(columns.part) // 4):
        return False
    compute = import_arrow("pyarrow.compute")
    row_counts = np.array(compute.value_counts(columns.table.column(name).combine_chunks()).field("counts"))
    is_known = row_counts >= columns.k
    return 1 < is_known.sum() <= most and row_counts[is_known].sum() >= MIN_KNOWN_SHARE * len(columns.table)


def _decides(columns: CandidateColumns, parent: str, child: str, count: int) -> bool:
    """Whether it does in the rows that are looked at, and two values of the child or more follow from common parents."""
    codes, child_codes = columns.codes[parent], columns.codes[child]
    if not _maps_to(codes, child_codes, count):
        return False
    is_common = np.bincount(codes, minlength=count)[codes] >= min(columns.k, 3)
    return len(np.unique(child_codes[is_common])) > 1


def _maps_to(codes: np.ndarray, child_codes: np.ndarray, count: int) -> bool:
    """Whether rows with one code have one child."""
    children = np.zeros(count, np.int64)
    children[codes] = child_codes
    return bool((children[codes] == child_codes).all())
