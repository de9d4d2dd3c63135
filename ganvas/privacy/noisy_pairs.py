"""The tables of all pairs of columns, released once with Gaussian noise; whatever is fitted to them costs nothing more.

The measuring half of GEM and MST (Liu, Vietri, Wu 2021; McKenna, Miklau, Sheldon 2021), with all pairs instead of chosen ones.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..errors import GanvasError
from .ledger import NoisyRelease
from .renyi import find_sigma

MAX_CELLS = 10**8  # of all tables together: 0.8 GB
ROWS_PER_BLOCK = 2**16


class NoisyPairs(NamedTuple):
    """Noisy counts of all pairs of columns; safe to keep, to print and to fit to, as often as one likes."""

    tables: Mapping[tuple[int, int], np.ndarray]  # (i, j) with i < j -> float64 [sizes[i], sizes[j]]; some are below 0
    deviation: float  # of the noise of each count
    release: NoisyRelease  # what it cost, for the ledger

    def estimate_rows(self) -> float:
        """About how many rows there were, from the noisy counts: the exact number is a secret. At least 1."""
        precision = np.array([1 / table.size for table in self.tables.values()])
        sums = np.array([table.sum() for table in self.tables.values()])
        return max(1.0, float((sums * precision).sum() / precision.sum()))

    def compute_shares(self) -> dict[tuple[int, int], np.ndarray]:
        """The tables as shares of all rows; each sums up to about 1, and some cells are below 0."""
        rows = self.estimate_rows()
        return {pair: table / rows for pair, table in self.tables.items()}


def release_pairs(
    codes: np.ndarray, sizes: Sequence[int], epsilon: float, delta: float, generator: np.random.Generator | None = None
) -> NoisyPairs:
    """Count all pairs of columns, with noise such that the release costs `epsilon`.

    One row more or less changes one cell of each table by 1: by √pairs together. A cell outside of the public categories
    counts nowhere, whatever it holds, so that the data cannot speak through an error.

    The promise is that of real numbers. The last bits of floating-point noise can say more (Mironov 2012): publish rounded
    counts, or what was fitted to them.

    Args:
        codes: whole numbers [N, C]; those of column c lie in 0..sizes[c] - 1.
        sizes: how many categories each column has, from public knowledge and never from the data.
        generator: of the noise. Whoever can repeat it can subtract the noise, so its seed is a secret as the data is. None
            (recommended): drawn from the system's entropy.

    Raises:
        GanvasError: fewer than two columns, or tables too large to keep.
        SettingError: epsilon or delta out of range.
    """
    _check_public_sizes(codes, sizes)
    pairs = [*combinations(range(len(sizes)), 2)]
    sigma = find_sigma(epsilon, 1.0, 1, delta)
    deviation = sigma * math.sqrt(len(pairs))
    generator = np.random.default_rng() if generator is None else generator
    tables = {
        (i, j): _count_pair(codes, i, j, sizes) + deviation * generator.standard_normal((sizes[i], sizes[j])) for i, j in pairs
    }
    return NoisyPairs(tables, deviation, NoisyRelease(1.0, sigma, 1, "pair tables"))


def _check_public_sizes(codes: np.ndarray, sizes: Sequence[int]) -> None:
    if codes.ndim != 2 or not np.issubdtype(codes.dtype, np.integer) or codes.shape[1] != len(sizes):
        raise GanvasError(f"pair tables need whole numbers [N, {len(sizes)}], got {codes.dtype} {codes.shape}")
    if len(sizes) < 2:
        raise GanvasError("pair tables need two columns or more")
    if min(sizes) < 1:
        raise GanvasError(f"column {int(np.argmin(sizes))} has no public categories: name at least one")
    cells = (sum(sizes) ** 2 - sum(size**2 for size in sizes)) // 2
    if cells > MAX_CELLS:
        raise GanvasError(f"the pair tables have {cells:,} cells, and {MAX_CELLS:,} are the most: merge categories or bins")


def _count_pair(codes: np.ndarray, i: int, j: int, sizes: Sequence[int]) -> np.ndarray:
    """How many rows hold each pair of categories -> int64 [sizes[i], sizes[j]]."""
    counts = np.zeros(sizes[i] * sizes[j], np.int64)
    for start in range(0, len(codes), ROWS_PER_BLOCK):
        a, b = (codes[start : start + ROWS_PER_BLOCK, c].astype(np.int64) for c in (i, j))
        is_public = (a >= 0) & (a < sizes[i]) & (b >= 0) & (b < sizes[j])
        counts += np.bincount(a[is_public] * sizes[j] + b[is_public], minlength=len(counts))
    return counts.reshape(sizes[i], sizes[j])
