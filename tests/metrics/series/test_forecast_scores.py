"""Forecasts of windows, column by column, beside standing still; and the real windows that began most like others."""

import math

import numpy as np
import pytest

from ganvas.core import PlainSeries
from ganvas.errors import GanvasError
from ganvas.metrics.series import find_analogues, score_column_forecasts


def wrap(**columns: np.ndarray) -> PlainSeries:
    """Windows of these columns; those of whole numbers are categories."""
    kinds = tuple("category" if column.dtype.kind == "i" else "number" for column in columns.values())
    first = next(iter(columns.values()))
    full = np.full(len(first), first.shape[1])
    return PlainSeries(tuple(columns), kinds, tuple(columns.values()), full)  # type: ignore[arg-type]


def walk_on(past: np.ndarray, steps: int, random: np.random.Generator) -> np.ndarray:
    """The past [N, K], and a random walk from its end."""
    return np.concatenate([past, past[:, -1:] + np.cumsum(random.standard_normal((len(past), steps)), 1)], 1)


def test_the_law_of_a_random_walk_scores_the_root_of_a_half() -> None:
    """Its CRPS is a deviation over the root of pi, and standing still errs by the root of 2 / pi of one."""
    random = np.random.default_rng(0)
    past = random.standard_normal((4000, 2))
    truth, *members = (walk_on(past, 3, random) for _ in range(17))
    still = np.repeat(past, [1, 4], axis=1)
    kind = np.zeros((4000, 5), np.int64)
    members = [wrap(a=member, b=still, c=kind, d=still) for member in members]
    score = score_column_forecasts(members, wrap(a=truth, b=truth, c=kind, d=still), 2)
    assert list(score.by_column) == ["a", "b"]  # a category, and a number that never changes, are left out
    assert score.by_column["a"] == pytest.approx(1 / math.sqrt(2), abs=0.02)
    assert score.by_column["b"] == pytest.approx(1)
    assert score.mean == pytest.approx(np.mean([*score.by_column.values()]))


def test_a_forecast_does_not_look_at_the_known_steps_of_its_members() -> None:
    random = np.random.default_rng(0)
    truth, member = random.standard_normal((9, 6)), random.standard_normal((9, 6))
    other = member.copy()
    other[:, :4] = 99
    assert score_column_forecasts([wrap(a=member)], wrap(a=truth), 4) == score_column_forecasts(
        [wrap(a=other)], wrap(a=truth), 4
    )


def test_columns_without_a_truth_are_left_out() -> None:
    truth = np.random.default_rng(0).standard_normal((9, 4))
    empty = np.where(np.arange(4) == 3, np.nan, truth)
    score = score_column_forecasts([wrap(a=truth, b=truth)], wrap(a=truth, b=empty), 2)
    assert score.by_column == {"a": 0.0}
    assert math.isnan(score_column_forecasts([wrap(b=truth)], wrap(b=empty), 2).mean)
    with pytest.raises(GanvasError, match="leave nothing to forecast"):
        score_column_forecasts([wrap(a=truth)], wrap(a=truth), 4)


def test_analogues_are_the_nearest_by_their_first_steps() -> None:
    random = np.random.default_rng(0)
    numbers, codes = random.normal(5, 3, (40, 5)), random.integers(0, 3, (40, 5))
    numbers[3, 1] = np.nan
    reference, windows = wrap(a=numbers, b=codes), wrap(a=numbers[:4] + 0.1, b=codes[:4])
    known, mean, deviation = numbers[:, :3], np.nanmean(numbers[:, :3]), np.nanstd(numbers[:, :3])
    chosen = find_analogues(reference, windows, 3, 6)
    assert chosen.shape == (6, 4)
    for k in range(4):
        gaps = np.nan_to_num((known - mean) / deviation) - np.nan_to_num((known[k] + 0.1 - mean) / deviation)
        squares = np.square(gaps).sum(1) + (codes[:, :3] != codes[k, :3]).sum(1)
        np.testing.assert_allclose(squares[chosen[:, k]], np.sort(squares)[:6], atol=1e-9)
    assert chosen[0].tolist() == [0, 1, 2, 3]
    with pytest.raises(GanvasError, match="too few to compare"):
        find_analogues(windows, windows, 3, 5)
