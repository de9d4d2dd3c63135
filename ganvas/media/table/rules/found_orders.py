"""Columns of numbers or dates of which one is never greater than the other."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from .at_most import AtMost
from .candidates import CandidateColumns

MIN_SHARED_ROWS = 30  # that have both values
MIN_BREAK_SHARE = 0.02  # of the rows: so many would break the rule if one column had another row's value


def find_orders(columns: CandidateColumns) -> Iterator[AtMost]:
    """Orders that follow from no two others. Columns whose ranges lie one above the other are not meant."""
    for group in (columns.dates, columns.numbers):
        pairs = [(low, high) for low in group for high in group if low != high and _is_order(group, low, high)]
        pairs = dict.fromkeys(pair for pair in pairs if columns.are_ordered(*pair))  # in the columns' order
        yield from (AtMost(lows=(low,), high=high) for low, high in pairs if not _is_implied(low, high, pairs))


def _is_order(group: Mapping[str, np.ndarray], low: str, high: str) -> bool:
    lows, highs = group[low], group[high]
    if (lows > highs).any():
        return False
    is_shared = ~np.isnan(lows) & ~np.isnan(highs)
    count = int(is_shared.sum())
    if count < MIN_SHARED_ROWS or (lows == highs)[is_shared].all():
        return False
    lows, highs = lows[is_shared], highs[is_shared]
    order = np.random.default_rng(0).permutation(count)
    return bool((lows > highs[order]).mean() >= MIN_BREAK_SHARE)


def _is_implied(low: str, high: str, pairs: Collection[tuple[str, str]]) -> bool:
    """Whether low <= m <= high for some other column m."""
    return any(first == low and (middle, high) in pairs and (middle, low) not in pairs for first, middle in pairs)
