"""Euclidean distances to neighbours, a block of rows at a time: 60,000 points need no matrix of 60,000 x 60,000."""

from collections.abc import Iterator

import numpy as np

from ..errors import GanvasError

DISTANCES_PER_BLOCK = 2**22  # distances held at once: 32 MB, and a few temporaries of that size
COPY_TOLERANCE = 1e-12  # of the squared radius of the data; rounding leaves less than this between copies of a point


def iterate_distance_blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of a [N, D] and their distances to all of b [M, D]: (rows, [len(rows), M]) pairs, in order."""
    centre = b.mean(0)  # ‖a‖² + ‖b‖² − 2a·b loses least precision around the origin
    a, b = a - centre, b - centre
    aa, bb = np.einsum("nd,nd->n", a, a), np.einsum("nd,nd->n", b, b)
    copy_threshold = COPY_TOLERANCE * (aa.max() + bb.max())
    size = max(1, DISTANCES_PER_BLOCK // len(b))
    for start in range(0, len(a), size):
        rows = slice(start, min(start + size, len(a)))
        squared = a[rows] @ b.T
        squared *= -2
        squared += aa[rows, None]
        squared += bb
        squared[squared < copy_threshold] = 0  # negatives too; copies of a point are exactly 0 apart
        yield rows, np.sqrt(squared, out=squared)


def measure_kth_distances(points: np.ndarray, k: int) -> np.ndarray:
    """The distance of each of `points` [N, D] to its k-th nearest neighbour -> [N].

    Raises:
        GanvasError: k below 1, or not below N.
    """
    if not 1 <= k < len(points):
        raise GanvasError(f"neighbour number k = {k} must lie in 1..{len(points) - 1} for {len(points)} samples: score more")
    radii = np.empty(len(points))
    for rows, distances in iterate_distance_blocks(points, points):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf  # a point is no neighbour of itself
        distances.partition(k - 1, axis=1)
        radii[rows] = distances[:, k - 1]
    return radii


def count_copied_points(points: np.ndarray, k: int) -> int:
    """How many of `points` [N, D] have `k` copies or more: the distance to their k-th neighbour is 0."""
    return int((measure_kth_distances(points, k) == 0).sum())


def find_nearest_points(points: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of `points` [N, D] the distance [N] to the nearest of `others` [M, D], and its index [N]."""
    distance, index = np.empty(len(points)), np.empty(len(points), np.int64)
    for rows, distances in iterate_distance_blocks(points, others):
        index[rows] = distances.argmin(1)
        distance[rows] = distances.min(1)
    return distance, index


def count_balls(points: np.ndarray, centres: np.ndarray, radii: np.ndarray, is_closed: bool) -> np.ndarray:
    """The number of balls (`centres` [M, D], `radii` [M]) that each of `points` [N, D] is in, int [N]; closed: with edge."""
    counts = np.empty(len(points), np.int64)
    for rows, distances in iterate_distance_blocks(points, centres):
        counts[rows] = np.count_nonzero(distances <= radii if is_closed else distances < radii, axis=1)
    return counts
