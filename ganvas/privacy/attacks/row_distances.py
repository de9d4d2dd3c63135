"""Distances between rows of tables: each column adds at most 1 (Gower 1971). A block of rows at a time."""

from collections.abc import Iterator

import numpy as np

from ...core import PlainTable

DISTANCES_PER_BLOCK = 2**21  # held at once: 8 MB, and a few temporaries of that size
MISSING = np.float32(2)  # a rank that is 1 or more away from all others


def rank_numbers(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The rank of numbers [N] among those of `reference` [M], from 0 to 1, ties in the middle; NaN ranks 2 -> float32 [N]."""
    is_missing = np.isnan(values)
    ordered = np.sort(reference[~np.isnan(reference)])
    below, not_above = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    ranks = (below + not_above) / max(1, 2 * len(ordered))
    return np.where(is_missing, MISSING, ranks).astype(np.float32)


def iterate_row_distances(a: PlainTable, b: PlainTable, scale: PlainTable | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of a and their distances to all rows of b: (rows, float32 [len(rows), M]) pairs, in order.

    Two numbers are as far apart as their ranks, from 0 to 1. Other categories, or missing beside present, count 1.

    scale: the rows that numbers are ranked among; None is b. Distances to several tables compare on one scale alone.
    """
    scale = b if scale is None else scale
    columns = [
        (rank_numbers(x, ranked), rank_numbers(y, ranked)) if kind == "number" else (x, y)
        for kind, x, y, ranked in zip(a.kinds, a.values, b.values, scale.values, strict=True)
    ]
    size = max(1, DISTANCES_PER_BLOCK // len(b))
    for start in range(0, len(a), size):
        rows = slice(start, min(start + size, len(a)))
        total = np.zeros((rows.stop - start, len(b)), np.float32)
        for kind, (x, y) in zip(a.kinds, columns, strict=True):
            if kind == "number":
                gaps = np.subtract(x[rows, None], y)
                np.abs(gaps, out=gaps)
                total += np.minimum(gaps, 1, out=gaps)
            else:
                total += x[rows, None] != y
        yield rows, total


def find_nearest_rows(a: PlainTable, b: PlainTable, scale: PlainTable | None = None) -> tuple[np.ndarray, np.ndarray]:
    """For each row of a the distance to the nearest row of b, float32 [N], and its number, int64 [N]. `scale`: see above."""
    distance, index = np.empty(len(a), np.float32), np.empty(len(a), np.int64)
    for rows, distances in iterate_row_distances(a, b, scale):
        index[rows] = distances.argmin(1)
        distance[rows] = distances.min(1)
    return distance, index


def find_neighbour_rows(a: PlainTable, b: PlainTable, k: int) -> np.ndarray:
    """For each row of a the numbers of its k nearest rows of b, in no order -> int64 [N, k]."""
    index = np.empty((len(a), k), np.int64)
    for rows, distances in iterate_row_distances(a, b):
        index[rows] = np.argpartition(distances, k - 1, axis=1)[:, :k] if k > 1 else distances.argmin(1)[:, None]
    return index
