"""Ordered values as intervals of ranks, each of which enough rows hold; no value that fewer hold is kept."""

from bisect import bisect_left
from typing import NamedTuple

import numpy as np

MAX_INTERVALS = 1024  # of a column
EXACT_DIGITS = 12  # significant digits of numbers with decimals, so that a number fits between any two


class Intervals(NamedTuple):
    """I intervals that follow each other. Their edges lie between values, so that no edge is anybody's value."""

    edges: tuple[float, ...]  # [I - 1]
    points: tuple[float | None, ...]  # [I]: the only value that an interval is decoded to; None: anything between its ends
    ranks: tuple[float, ...]  # [I + 1], from 0 to 1: the share of rows below each end
    lowest: float  # the lower end of the first interval: k rows lie below
    highest: float  # the upper end of the last one: k rows lie above


class _Group(NamedTuple):
    """Consecutive values from `start` to before `end`, which `rows` rows hold."""

    start: int
    end: int
    rows: int
    point: int | None  # the value that all of them become


def merge_values(values: np.ndarray, counts: np.ndarray, k: int) -> Intervals | None:
    """Intervals of rising distinct values [n], each held by `counts` rows [n]; None if fewer than k rows hold all of them."""
    total = int(counts.sum())
    if total < k or not len(values):
        return None
    groups = list[_Group]()
    for rows in (k, max(k, -(-total // MAX_INTERVALS)), max(k, -(-2 * total // MAX_INTERVALS))):
        groups = _absorb_small_groups(_group_values(counts, rows, k), k)
        if len(groups) <= MAX_INTERVALS:
            break
    if len(groups) == 1 and groups[0].point is None and total < 2 * k:  # no value has k rows on either side
        middle = min(int(np.searchsorted(np.cumsum(counts), total / 2)), len(values) - 2)
        point = _find_middle(values, middle)
        return Intervals((), (point,), (0.0, 1.0), point, point)
    ranks = np.cumsum([0, *(group.rows for group in groups)]) / total
    return Intervals(
        edges=tuple(_find_middle(values, group.end - 1) for group in groups[:-1]),
        points=tuple(None if group.point is None else float(values[group.point]) for group in groups),
        ranks=tuple(ranks.tolist()),
        lowest=_find_end(values, counts, groups, k, is_upper=False),
        highest=_find_end(values, counts, groups, k, is_upper=True),
    )


def _group_values(counts: np.ndarray, rows: int, k: int) -> list[_Group]:
    """From below: values that `rows` rows hold stay by themselves, others join until so many rows hold them."""
    totals: list[int] = np.cumsum(counts).tolist()  # lists: numpy is slow at looking up one number at a time
    heavy: list[int] = np.flatnonzero(counts >= rows).tolist()
    groups, start, base = list[_Group](), 0, 0
    while start < len(counts):
        needed_rows = rows if start else max(rows, 2 * k)  # the first has to have an end with k rows beyond
        next_heavy = heavy[i] if (i := bisect_left(heavy, start)) < len(heavy) else len(counts)
        if next_heavy == start:
            end = start + 1
        else:
            end = min(bisect_left(totals, base + needed_rows) + 1, next_heavy)
        count = totals[end - 1] - base
        groups.append(_Group(start, end, count, start if end == start + 1 and count >= k else None))
        start, base = end, totals[end - 1]
    return groups


def _absorb_small_groups(groups: list[_Group], k: int) -> list[_Group]:
    """Groups of fewer than k rows join a neighbour: one that is a range, or else the lighter one, which stays one value."""
    merged_groups = list[_Group]()
    pending: _Group | None = None  # of fewer than k rows
    for group in groups:
        if pending is not None:
            is_joined_to_last = bool(merged_groups) and _rank_as_host(merged_groups[-1]) <= _rank_as_host(group)
            if is_joined_to_last:
                merged_groups[-1] = _join(merged_groups[-1], pending)
            else:
                group = _join(pending, group)
            pending = None
        if group.rows < k:
            pending = group
        else:
            merged_groups.append(group)
    if pending is not None:
        merged_groups = [*merged_groups[:-1], _join(merged_groups[-1], pending)] if merged_groups else [pending]
    is_last_short = len(merged_groups) > 1 and merged_groups[-1].point is None and merged_groups[-1].rows < 2 * k
    if is_last_short and merged_groups[-2].point is None:
        merged_groups[-2:] = [_join(*merged_groups[-2:])]
    return merged_groups


def _rank_as_host(group: _Group) -> tuple[bool, int]:
    return group.point is not None, group.rows


def _join(first: _Group, second: _Group) -> _Group:
    point = first.point if first.point is not None else second.point
    return _Group(first.start, second.end, first.rows + second.rows, point)


def _find_middle(values: np.ndarray, index: int) -> float:
    """The middle between a value and the next one."""
    return float(values[index] / 2 + values[index + 1] / 2)


def _find_end(values: np.ndarray, counts: np.ndarray, groups: list[_Group], k: int, is_upper: bool) -> float:
    """The outer end of the first or last group: its value, or a number between values that k rows lie beyond."""
    group = groups[-1 if is_upper else 0]
    if group.point is not None:
        return float(values[group.point])
    inner_end = _find_middle(values, group.start - 1 if is_upper else group.end - 1) if len(groups) > 1 else None
    own_counts = counts[group.start : group.end]
    beyond = int(np.searchsorted(np.cumsum(own_counts[::-1] if is_upper else own_counts), k))
    index = group.end - 2 - beyond if is_upper else group.start + beyond
    if not group.start <= index < group.end - 1:  # k rows are all that it has
        return inner_end if inner_end is not None else _find_middle(values, min(max(index, 0), len(values) - 2))
    return _find_middle(values, index)
