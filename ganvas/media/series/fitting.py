"""Which rows a column's codec is fitted to, so that it keeps no value that fewer than k series hold."""

from typing import Any

import numpy as np

from ...core import SeriesItems


def is_learnt_key(items: SeriesItems, k: int) -> bool:
    """Whether a series' name is itself learnt, as a static: there are too few series for them to be people."""
    return items.key is not None and not counts_series(items.series, k)


def counts_series(series: np.ndarray, k: int) -> bool:
    """Whether k counts series instead of rows. Fewer than 2k are stations or machines: no value could be k series' own."""
    return int(series.max(initial=0)) + 1 >= 2 * k


def choose_fitting_rows(values: Any, series: np.ndarray, k: int) -> np.ndarray:
    """Which rows of a column (pyarrow array) to fit to, bool [R].

    A value that fewer than k series hold counts once for each of them. So fewer than k rows hold it, and it is merged.
    """
    if not counts_series(series, k):
        return np.ones(len(values), bool)
    codes = values.dictionary_encode(null_encoding="encode").indices.to_numpy().astype(np.int64)
    count = int(series.max()) + 1
    pairs, firsts = np.unique(codes * count + series, return_index=True)
    is_chosen = np.bincount(pairs // count)[codes] >= k
    is_chosen[firsts] = True
    return is_chosen
