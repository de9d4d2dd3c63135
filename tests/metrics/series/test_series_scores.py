"""Scores of windows: closed forms, naive loops, and sets that differ in one thing alone."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganvas.core import PlainSeries
from ganvas.errors import GanvasError
from ganvas.metrics.series import (
    detect_windows,
    measure_autocorrelations,
    measure_crps,
    score_autocorrelations,
    score_cross_correlations,
    score_discriminative,
    score_forecasts,
    score_predictive,
    score_series_shapes,
    score_step_shapes,
)

SHAPE = (7, 6)  # of windows in small examples
NUMBERS = st.floats(-5, 5).map(lambda v: round(v, 3)) | st.just(float("nan"))


def wrap(*columns: np.ndarray, lengths: np.ndarray | None = None) -> PlainSeries:
    """Windows of these columns; those of whole numbers are categories."""
    names = tuple("abcdef"[: len(columns)])
    kinds = tuple("category" if column.dtype.kind == "i" else "number" for column in columns)
    full = np.full(len(columns[0]), columns[0].shape[1])
    return PlainSeries(names, kinds, columns, full if lengths is None else lengths)  # type: ignore[arg-type]


def draw_ar(n: int, steps: int, slope: float, seed: int) -> np.ndarray:
    """Windows of a stationary process with the autocorrelations slope ** lag, and variance 1."""
    noise = np.random.default_rng(seed).standard_normal((n, steps))
    x = noise.copy()
    for t in range(1, steps):
        x[:, t] = slope * x[:, t - 1] + math.sqrt(1 - slope**2) * noise[:, t]
    return x


def test_autocorrelation_of_an_autoregressive_process() -> None:
    """Windows lose their own mean, so the expectation is that of the projected covariance."""
    steps, slope = 24, 0.8
    covariance = slope ** np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
    centre = np.eye(steps) - 1 / steps
    projected = centre @ covariance @ centre
    expected = [np.diagonal(projected, lag).mean() / np.diagonal(projected).mean() for lag in range(1, 13)]
    found = measure_autocorrelations(draw_ar(20_000, steps, slope, 0))
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert found[0] > 0.6 > 0 > found[11]


@given(arrays(np.float64, SHAPE, elements=NUMBERS))
@settings(max_examples=40, deadline=None)
def test_autocorrelation_is_that_of_a_loop(values: np.ndarray) -> None:
    means = [np.mean([u for u in row if u == u] or [0.0]) for row in values]
    centred = [[v - mean for v in row] for row, mean in zip(values, means, strict=True)]
    variance = np.mean([v**2 for row in centred for v in row if v == v] or [0.0])
    for lag in (1, 5):
        products = [
            row[t] * row[t + lag] for row in centred for t in range(6 - lag) if row[t] * row[t + lag] == row[t] * row[t + lag]
        ]
        expected = np.mean(products) / variance if products and variance > 1e-9 else 0.0
        if variance > 1e-9 or variance == 0:
            assert measure_autocorrelations(values)[lag - 1] == pytest.approx(expected, abs=1e-9)


def test_correlation_at_a_lag_is_found() -> None:
    noise = np.random.default_rng(0).standard_normal((6000, 10))
    other = np.random.default_rng(1).standard_normal((6000, 10))
    follower = np.concatenate([other[:, :2], noise[:, :-2]], 1)  # two steps later
    result = score_cross_correlations(wrap(noise, follower), wrap(noise, other), max_lag=4)
    assert result.mean == pytest.approx(1 / 10, abs=0.01)  # one of five lags, in one of two directions
    assert score_cross_correlations(wrap(noise, follower), wrap(noise, follower)).mean == 0
    assert score_autocorrelations(wrap(noise, follower), wrap(noise, other)).mean < 0.01


def test_a_sign_turned_round_counts_twice() -> None:
    x = draw_ar(4000, 8, 0.5, 0)
    assert score_cross_correlations(wrap(x, x), wrap(x, -x), max_lag=0).mean == pytest.approx(2)


def test_steps_see_what_values_do_not() -> None:
    """Values that stay for a window against values that jump: the same numbers, other steps."""
    level = np.repeat([[0.0], [1.0]], 500, axis=0) * np.ones(12)
    jump = np.tile([0.0, 1.0], (1000, 6))
    real, fake = wrap(level), wrap(jump)
    assert score_series_shapes(real, fake)["a"] == 1
    assert score_step_shapes(real, fake)["a"] == pytest.approx(1 - 6 / 11)  # steps up, none of which are there
    codes = [column.astype(np.int64) for column in (level, jump)]
    assert score_series_shapes(*map(wrap, codes))["a"] == 1
    assert score_step_shapes(*map(wrap, codes))["a"] == 0  # no step from a code to itself


def test_steps_of_categories_by_hand() -> None:
    real, fake = wrap(np.array([[0, 1, 1]])), wrap(np.array([[0, 1, 0]]))
    assert score_step_shapes(real, fake)["a"] == pytest.approx(0.5)  # 01, 11 and 01, 10


@given(
    arrays(np.float64, SHAPE, elements=NUMBERS),
    arrays(np.int64, SHAPE, elements=st.integers(0, 3)),
    arrays(np.int64, SHAPE[:1], elements=st.integers(2, 6)),
    st.integers(0, 2**20),
)
@settings(max_examples=30, deadline=None)
def test_what_lies_beyond_the_end_is_not_looked_at(x: np.ndarray, codes: np.ndarray, lengths: np.ndarray, seed: int) -> None:
    random, real = np.random.default_rng(seed), wrap(draw_ar(9, 6, 0.5, 0), np.arange(54).reshape(9, 6) % 3)
    one = wrap(x, codes, lengths=lengths)
    over = ~one.is_alive
    other = wrap(
        np.where(over, random.normal(0, 99, SHAPE), x), np.where(over, random.integers(0, 9, SHAPE), codes), lengths=lengths
    )
    for score in (score_series_shapes, score_step_shapes, score_autocorrelations, score_cross_correlations):
        assert score(real, one) == score(real, other)
        assert score(one, real) == score(other, real)


@given(arrays(np.float64, SHAPE, elements=NUMBERS), arrays(np.int64, SHAPE, elements=st.integers(0, 3)))
@settings(max_examples=30, deadline=None)
def test_equal_windows_in_another_order_are_perfect(x: np.ndarray, codes: np.ndarray) -> None:
    one, other = wrap(x, codes), wrap(x[::-1].copy(), codes[::-1].copy())
    assert score_autocorrelations(one, other).mean == pytest.approx(0, abs=1e-9)
    assert score_cross_correlations(one, other).mean == pytest.approx(0, abs=1e-9)
    for scores in (score_series_shapes(one, other), score_step_shapes(one, other)):
        assert list(scores.values()) == pytest.approx([1, 1])


def test_crps_of_a_normal_ensemble() -> None:
    """Gneiting and Raftery 2007: of N(0, 1) for y, y (2 F(y) - 1) + 2 f(y) - 1 / sqrt(pi)."""
    members = np.random.default_rng(0).standard_normal((40_000, 1))
    for y in (0.0, 1.0, -2.5):
        density, below = math.exp(-(y**2) / 2) / math.sqrt(2 * math.pi), (1 + math.erf(y / math.sqrt(2))) / 2
        expected = y * (2 * below - 1) + 2 * density - 1 / math.sqrt(math.pi)
        assert measure_crps(members, np.array([y]))[0] == pytest.approx(expected, abs=0.015)


@given(arrays(np.float64, (5, 3), elements=st.floats(-9, 9)), arrays(np.float64, 3, elements=st.floats(-9, 9)))
@settings(max_examples=50, deadline=None)
def test_crps_is_that_of_all_pairs(members: np.ndarray, truth: np.ndarray) -> None:
    spread = np.abs(members[:, None] - members[None]).sum((0, 1)) / (5 * 4)
    expected = np.abs(members - truth).mean(0) - spread / 2
    np.testing.assert_allclose(measure_crps(members, truth), expected, atol=1e-9)
    np.testing.assert_allclose(measure_crps(members[:1], truth), np.abs(members[0] - truth))


def test_few_members_are_not_punished() -> None:
    random = np.random.default_rng(0)
    truth = random.standard_normal(40_000)
    few, many = (measure_crps(random.standard_normal((m, 40_000)), truth).mean() for m in (2, 20))
    assert few == pytest.approx(many, abs=0.015)
    assert many == pytest.approx(1 / math.sqrt(math.pi), abs=0.01)


def test_forecasts_beside_persistence() -> None:
    """A random walk: standing still errs by its spread, and the true law of steps has a CRPS of 1 / sqrt(pi) of that."""
    random = np.random.default_rng(0)
    last = random.standard_normal(8000)
    walk = last[:, None] + np.cumsum(random.standard_normal((8000, 3)), 1)
    ensemble = last[:, None] + np.cumsum(random.standard_normal((20, 8000, 3)), 2)
    score = score_forecasts(ensemble, walk, last)
    root = np.sqrt([1, 2, 3])
    np.testing.assert_allclose(score.persistence_by_step, math.sqrt(2 / math.pi) * root, rtol=0.03)
    np.testing.assert_allclose(score.crps_by_step, root / math.sqrt(math.pi), rtol=0.03)
    assert score.skill == pytest.approx(1 - 1 / math.sqrt(2), abs=0.02)
    assert score_forecasts(walk[None], walk, last).crps == 0
    still = score_forecasts(np.repeat(last[:, None], 3, 1)[None], walk, last)
    assert still.crps == still.persistence
    assert still.skill == 0


def test_forecasts_without_a_truth_are_left_out() -> None:
    truth, last = np.array([[1.0, np.nan], [3.0, 5.0], [9.0, 9.0]]), np.array([0.0, 1.0, np.nan])
    score = score_forecasts(np.zeros((1, 3, 2)), truth, last)
    assert score.crps_by_step.tolist() == [2.0, 5.0]
    assert score.persistence_by_step.tolist() == [1.5, 4.0]
    assert score.crps == pytest.approx(3)
    with pytest.raises(GanvasError, match="no truth in any series"):
        score_forecasts(np.zeros((1, 1, 2)), truth[:1], last[:1])
    with pytest.raises(GanvasError, match="do not fit"):
        score_forecasts(np.zeros((3, 2)), truth, last)


def test_boosted_trees_know_what_differs() -> None:
    pytest.importorskip("sklearn")
    same, walk = draw_ar(400, 8, 0.9, 0), draw_ar(400, 8, 0.9, 1)
    other = draw_ar(400, 8, 0.9, 2)
    real = wrap(same, other)
    alike = detect_windows(real, wrap(walk, draw_ar(400, 8, 0.9, 3)))
    assert alike.auc == pytest.approx(0.5, abs=4 * 0.0205)  # the error of two times 400 windows is 1 / sqrt(6 n)
    rounded = detect_windows(real, wrap(np.round(walk, 1), draw_ar(400, 8, 0.9, 3)))
    assert rounded.auc > 0.65  # a thermometer that shows tenths
    assert next(iter(rounded.telling_columns)) == "a"
    rough = draw_ar(400, 8, 0.3, 1)  # the same values, other steps
    found = detect_windows(real, wrap(rough, draw_ar(400, 8, 0.9, 3)))
    assert found.auc > 0.9
    assert next(iter(found.telling_columns)) == "a"
    assert found.telling_columns["a"] > 0.3 > 0.05 > found.telling_columns["b"]
    assert detect_windows(real, wrap(rough, draw_ar(400, 8, 0.9, 3))).auc == found.auc


def test_telling_windows_categories_and_lengths() -> None:
    pytest.importorskip("sklearn")
    random = np.random.default_rng(0)
    codes = random.integers(0, 4, (2, 300, 8))
    odd = codes[1].copy()
    odd[:60] = odd[:60, :1]  # a fifth never changes
    found = detect_windows(wrap(codes[0]), wrap(odd))
    assert found.auc == pytest.approx(0.6, abs=0.06)
    assert found.telling_windows.max() < 60
    short = np.full(300, 5)
    assert detect_windows(wrap(codes[0]), wrap(codes[1], lengths=short)).auc == 1


def test_timegans_scores() -> None:
    """They tell a shift and a dependence, leave no trace in torch's random numbers, and repeat."""
    x, y = (draw_ar(800, 4, 0.9, seed).reshape(2, 400, 4) for seed in (0, 1))
    real, same = (wrap(*side, *side, *side[:1], side[0] - side[1]) for side in (x, y))
    state = torch.random.get_rng_state()
    near = score_discriminative(real, same, steps=60)
    far = score_discriminative(real, wrap(*(column + 3 for column in same.values)), steps=400)
    assert near < 0.15
    assert far > 0.4
    assert torch.equal(torch.random.get_rng_state(), state)
    assert score_discriminative(real, same, steps=60) == near
    drawn = wrap(*same.values[:-1], np.random.default_rng(0).permutation(same.values[-1]))
    useful, useless = (score_predictive(real, fake, steps=400) for fake in (same, drawn))
    assert useful < 0.8 * useless


def test_a_judge_of_numbers_refuses_categories() -> None:
    codes = wrap(np.arange(120).reshape(20, 6) % 3)
    with pytest.raises(GanvasError, match="hold categories alone"):
        score_discriminative(codes, codes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("x", "b")}, "same columns and steps"),
        ({"values": (np.zeros((8, 5)), np.zeros((8, 5)))}, "same columns and steps: a, b x 6, and a, b x 5"),
        ({"values": (np.zeros((0, 6)), np.zeros((0, 6))), "lengths": np.zeros(0, np.int64)}, "0 windows are too few"),
    ],
)
def test_windows_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    real = wrap(np.zeros((8, 6)), np.ones((8, 6)))
    fake = replace(real, **({"lengths": np.full(8, 5)} | change))
    for score in (score_series_shapes, score_step_shapes, score_autocorrelations, score_cross_correlations, detect_windows):
        with pytest.raises(GanvasError, match=message):
            score(real, fake)


@pytest.mark.parametrize("lengths", [[0, 6], [1, 7], [1]])
def test_impossible_windows_are_refused(lengths: list[int]) -> None:
    with pytest.raises(GanvasError, match="windows"):
        wrap(np.zeros((2, 6)), lengths=np.array(lengths))
