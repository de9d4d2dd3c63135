"""Neighbour distances: goldens, brute force, copies of points, bounded memory."""

import tracemalloc

import numpy as np
import pytest

from ganvas.errors import GanvasError
from ganvas.metrics import neighbours
from ganvas.metrics.neighbours import count_balls, find_nearest_points, measure_kth_distances


def points(seed: int, n: int, d: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def pairwise(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None] - b[None], axis=2)


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("which", ["real", "fake"])
def test_golden_distances(golden, k, which):
    found = measure_kth_distances(golden[f"in/{which}"].astype(np.float64), k)
    np.testing.assert_allclose(found, golden[f"out/kth_dist_{which}_k{k}"], rtol=1e-9)


@pytest.mark.parametrize("block", [1, 100, 2**22])
def test_equal_to_brute_force_in_blocks_of_any_size(monkeypatch, block):
    monkeypatch.setattr(neighbours, "DISTANCES_PER_BLOCK", block)
    a, b = points(0, 37) + 1000, points(1, 23) + 1000
    between, within = pairwise(a, b), np.sort(pairwise(a, a), axis=1)
    np.testing.assert_allclose(measure_kth_distances(a, 2), within[:, 2], rtol=1e-9)
    np.testing.assert_allclose(find_nearest_points(a, b)[0], between.min(1), rtol=1e-9)
    np.testing.assert_array_equal(find_nearest_points(a, b)[1], between.argmin(1))
    radii = np.linspace(0.1, 3, 23)
    np.testing.assert_array_equal(count_balls(a, b, radii, is_closed=False), (between < radii).sum(1))


def test_copies_are_exactly_zero_apart():
    a = points(2, 50, 300) + 7
    assert not measure_kth_distances(np.r_[a, a], 1).any()
    assert (count_balls(a, a, np.zeros(50), is_closed=True) == 1).all()
    assert not count_balls(a, a, np.zeros(50), is_closed=False).any()


def test_far_below_the_memory_of_all_pairs(monkeypatch):
    monkeypatch.setattr(neighbours, "DISTANCES_PER_BLOCK", 2**16)
    a = points(3, 3000)
    tracemalloc.start()
    measure_kth_distances(a, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 3000 * 8 / 20


@pytest.mark.parametrize("k", [0, 5, 6])
def test_too_few_samples_for_k(k):
    with pytest.raises(GanvasError, match=rf"k = {k} must lie in 1..4 for 5 samples"):
        measure_kth_distances(points(4, 5), k)
