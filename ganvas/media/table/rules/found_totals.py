"""Columns that are the sum or the product of others in all rows of a table."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from ..columns.number import MAX_DECIMALS
from .candidates import CandidateColumns
from .numbers import SAME_SHARE_SINGLE
from .total import Total

SCREENED_ROWS = 24  # in which pairs are tried before all that are looked at
MIN_PRESENT_ROWS = 30  # that have the total and all its parts
MIN_CHANGE_SHARE = 0.01  # of the rows: each part has to change the total in so many


class _Candidate(NamedTuple):
    """Numbers of columns."""

    total: int
    parts: tuple[int, ...]
    operation: Literal["sum", "product"]


def find_totals(columns: CandidateColumns) -> Iterator[Total]:
    """Totals of one column, of two, or of many. Each column is the total of one set of parts at most."""
    names = list(columns.numbers)
    if len(names) < 2:
        return
    numbers = np.stack([columns.numbers[name] for name in names])  # [C, n]
    decided = set[int]()
    for list_candidates in (_list_twins, _list_pair_sums, _list_long_sums, _list_pair_products):
        for total, parts, operation in list_candidates(numbers, decided):
            if total not in decided and _is_total(numbers[total], numbers[list(parts)], operation):
                decided.add(total)
                yield Total(total=names[total], parts=tuple(names[part] for part in parts), operation=operation)


def _list_twins(numbers: np.ndarray, decided: set[int]) -> Iterator[_Candidate]:
    """Columns that are the same as an earlier one."""
    screened = _screen_rows(numbers)
    for total in range(1, len(numbers)):
        for part in np.flatnonzero(_are_close(screened[:total], screened[total]).all(1)):
            yield _Candidate(total, (int(part),), "sum")


def _list_pair_sums(numbers: np.ndarray, decided: set[int]) -> Iterator[_Candidate]:
    screened = _screen_rows(numbers)
    first, second = np.triu_indices(len(numbers), 1)
    yield from _match_pairs(screened, first, second, screened[first] + screened[second], "sum")


def _list_pair_products(numbers: np.ndarray, decided: set[int]) -> Iterator[_Candidate]:
    screened = _screen_rows(numbers)
    first, second = np.triu_indices(len(numbers), 1)
    yield from _match_pairs(screened, first, second, screened[first] * screened[second], "product")


def _match_pairs(
    screened: np.ndarray, first: np.ndarray, second: np.ndarray, results: np.ndarray, operation: Literal["sum", "product"]
) -> Iterator[_Candidate]:
    """Columns that are close to a result of two others, [P, r], in all screened rows, [C, r]."""
    for total, values in enumerate(screened):
        slack = _measure_rounding(values)
        for pair in np.flatnonzero(_are_close(results, values, slack).all(1) & (first != total) & (second != total)):
            yield _Candidate(total, (int(first[pair]), int(second[pair])), operation)


def _list_long_sums(numbers: np.ndarray, decided: set[int]) -> Iterator[_Candidate]:
    """Columns whose regression on all others has the coefficients 0 and 1."""
    rows = ~np.isnan(numbers).any(0)
    if rows.sum() < 2 * len(numbers):
        return
    present = numbers[:, rows]
    for total in range(len(numbers)):
        others = [c for c in range(len(numbers)) if c != total and c not in decided]
        if total in decided or len(others) < 3:
            continue
        scale = np.abs(present[others]).max(1) + 1e-30
        solution = np.linalg.lstsq((present[others] / scale[:, None]).T, present[total], rcond=1e-10)[0] / scale
        parts = tuple(c for c, weight in zip(others, solution, strict=True) if abs(weight - 1) < 1e-3)
        if len(parts) > 2:
            yield _Candidate(total, parts, "sum")


def _screen_rows(numbers: np.ndarray) -> np.ndarray:
    """Some rows with few missing values and, among these, large numbers: [C, r]."""
    missing_counts = np.isnan(numbers).sum(0)
    order = np.lexsort((-np.nan_to_num(np.abs(numbers)).sum(0), missing_counts))
    chosen = order[np.linspace(0, min(len(order), 50 * SCREENED_ROWS) - 1, min(len(order), SCREENED_ROWS)).astype(int)]
    return numbers[:, chosen]


def _are_close(results: np.ndarray, values: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Whether results and values are the same but for rounding, or one of them is missing."""
    errors = np.abs(results - values)
    return ~(errors > SAME_SHARE_SINGLE * np.abs(results) + slack + 1e-12)


def _measure_rounding(values: np.ndarray) -> float:
    """Half a unit of the last decimal that the values have, if they are much larger; else 0."""
    present = values[~np.isnan(values)]
    for decimals in range(MAX_DECIMALS):
        if np.array_equal(np.round(present, decimals), present):
            half = 0.5 * 10.0**-decimals
            return half * 1.001 if len(present) and np.abs(present).mean() > 40 * half else 0.0
    return 0.0


def _is_total(total: np.ndarray, parts: np.ndarray, operation: Literal["sum", "product"]) -> bool:
    """Whether it is in all rows, [n], that have all parts, [P, n], and each part matters."""
    present = ~np.isnan(total) & ~np.isnan(parts).any(0)
    if present.sum() < MIN_PRESENT_ROWS:
        return False
    total, parts = total[present], parts[:, present]
    results = parts.sum(0) if operation == "sum" else parts.prod(0)
    if not _are_close(results, total, _measure_rounding(total)).all():
        return False
    return len(parts) == 1 or all(_matters(total, part, operation) for part in parts)


def _matters(total: np.ndarray, part: np.ndarray, operation: Literal["sum", "product"]) -> bool:
    is_changed = part != 0 if operation == "sum" else (part != 1) & (total != 0)
    return is_changed.mean() >= MIN_CHANGE_SHARE
