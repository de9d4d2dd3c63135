"""Fréchet distance: goldens, closed forms, invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import GanvasError
from ganvas.metrics.frechet import frechet_distance, gaussian_distance, measure_moments


def rotation(rng: np.random.Generator, d: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


def test_golden(golden):
    assert frechet_distance(golden["in/real"], golden["in/fake"]) == pytest.approx(golden["out/fid_eigen"].item(), rel=1e-10)


def test_golden_of_fewer_samples_than_features(golden):
    distance = frechet_distance(golden["in/real"][:32], golden["in/fake"][60:92])
    assert distance == pytest.approx(golden["out/fid_rank_deficient"].item(), rel=1e-6)


def test_golden_of_a_set_with_itself(golden):
    assert frechet_distance(golden["in/real"], golden["in/real"]) == pytest.approx(golden["out/fid_self"].item(), abs=1e-9)


def test_covariance_is_unbiased():
    x = np.random.default_rng(0).normal(size=(50, 4))
    np.testing.assert_allclose(measure_moments(x)[1], np.cov(x, rowvar=False), rtol=1e-12)


def test_commuting_gaussians():
    rng = np.random.default_rng(1)
    Q, a, b, mean = rotation(rng, 6), rng.uniform(0.1, 4, 6), rng.uniform(0.1, 4, 6), rng.normal(size=6)
    distance = gaussian_distance(mean, Q * a @ Q.T, np.zeros(6), Q * b @ Q.T)
    assert distance == pytest.approx(mean @ mean + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rel=1e-12)


def test_two_dimensional_gaussians_that_do_not_commute():
    a, b = np.array([[2.0, 0.7], [0.7, 1.0]]), np.array([[1.0, -0.4], [-0.4, 3.0]])
    root = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))  # trace of the root of a 2 x 2 matrix
    zero = np.zeros(2)
    assert gaussian_distance(zero, a, zero, b) == pytest.approx(np.trace(a) + np.trace(b) - 2 * root, rel=1e-12)


def test_dead_features_change_nothing():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(100, 3)), 2 * rng.normal(size=(80, 3)) + 1
    dead = frechet_distance(np.c_[x, np.zeros((100, 2))], np.c_[y, np.zeros((80, 2))])
    assert dead == pytest.approx(frechet_distance(x, y), rel=1e-9)


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 8), st.integers(2, 20))
def test_symmetric_and_invariant_to_order_and_rotation(seed, d, n):
    rng = np.random.default_rng(seed)
    x, y, Q = rng.normal(size=(n, d)), rng.normal(size=(n + 3, d)) * 2 + 1, rotation(rng, d)
    distance = frechet_distance(x, y)
    assert distance >= 0
    for other in (frechet_distance(y, x), frechet_distance(rng.permutation(x), y), frechet_distance(x @ Q, y @ Q)):
        assert other == pytest.approx(distance, rel=1e-5, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 8))
def test_a_shift_adds_its_squared_length(seed, d):
    rng = np.random.default_rng(seed)
    x, shift = rng.normal(size=(30, d)), 3 * rng.normal(size=d)
    assert frechet_distance(x, x + shift) == pytest.approx(shift @ shift, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.ones((5, 3)), np.ones((5, 4)), "3 features and fakes 4"),
        (np.ones((5, 3)), np.ones((1, 3)), "at least 2"),
        (np.ones((5, 3)), np.full((5, 3), np.nan), "NaN or infinity"),
        (np.ones((5, 3, 2)), np.ones((5, 3, 2)), r"\[5, 3, 2\]"),
    ],
)
def test_bad_features_are_refused(real, fake, message):
    with pytest.raises(GanvasError, match=message):
        frechet_distance(real, fake)
