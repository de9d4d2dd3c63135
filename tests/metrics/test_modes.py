"""Modes of a ring of Gaussians: all, one, unevenly, none."""

from math import cos, log, pi, sin

import numpy as np
import pytest

from ganvas.core import Features
from ganvas.errors import GanvasError
from ganvas.metrics import Modes
from small_recipes import both

RING = tuple((2 * cos(2 * pi * i / 8), 2 * sin(2 * pi * i / 8)) for i in range(8))
METRIC = Modes(centres=RING, std=0.02)


def score(points: np.ndarray) -> dict[str, float]:
    return METRIC(both(Features(np.array(RING))), Features(points))


def test_samples_of_the_mixture_itself():
    rng = np.random.default_rng(0)
    result = score(np.array(RING)[rng.integers(0, 8, 20_000)] + 0.02 * rng.normal(size=(20_000, 2)))
    assert result["modes"] == 8
    assert result["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=0.003)  # a plane Gaussian within 3 std
    assert result["mode_kl"] == pytest.approx(0, abs=1e-3)


def test_collapse_to_one_mode():
    assert score(np.tile(RING[3], (50, 1))) == {"modes": 1.0, "high_quality": 1.0, "mode_kl": pytest.approx(log(8))}


def test_a_lucky_sample_counts_as_a_mode_and_shows_in_the_divergence():
    result = score(np.r_[np.tile(RING[0], (99, 1)), [RING[1]]])
    assert result["modes"] == 2
    assert result["mode_kl"] == pytest.approx(0.99 * log(0.99 * 8) + 0.01 * log(0.01 * 8))


def test_three_standard_deviations_are_the_limit():
    x, y = RING[0]
    assert score(np.array([[x + 0.0599, y], [x + 0.0601, y]]))["high_quality"] == 0.5


def test_no_sample_near_any_mode():
    assert score(np.zeros((10, 2))) == {"modes": 0.0, "high_quality": 0.0, "mode_kl": pytest.approx(log(8))}


def test_centres_must_fit_the_samples():
    with pytest.raises(GanvasError, match="3 coordinates"):
        score(np.zeros((10, 3)))
    with pytest.raises(GanvasError, match="std must be above 0"):
        Modes(centres=RING, std=0.0)(both(Features(np.zeros((1, 2)))), Features(np.zeros((1, 2))))


def test_centres_that_are_not_the_datas_are_refused():
    """The settings of the data and of the metric are twins: where they differ, no number is better than a wrong one."""
    twelve = np.array([(2 * cos(2 * pi * i / 12), 2 * sin(2 * pi * i / 12)) for i in range(12)])
    with pytest.raises(GanvasError, match="do not lie at these centres"):
        METRIC(both(Features(twelve)), Features(np.array(RING)))
