"""How good an ensemble of forecasts is: the continuous ranked probability score, beside what standing still scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...core import PlainSeries, check_same_series
from ...errors import GanvasError


class ForecastScore(NamedTuple):
    """Lower is better, 0 is perfect; in the unit of the values."""

    crps: float
    persistence: float  # of the last known value, repeated
    skill: float  # 1 - crps / persistence: 0 is as good as standing still, 1 is perfect
    crps_by_step: np.ndarray  # float64 [H]
    persistence_by_step: np.ndarray  # float64 [H]


def score_forecasts(ensemble: np.ndarray, truth: np.ndarray, last: np.ndarray) -> ForecastScore:
    """Score M forecasts of each of N series, H steps ahead. A lone forecast's score is its absolute error.

    Args:
        ensemble: float [M, N, H].
        truth: float [N, H], NaN where it is missing: these are left out.
        last: float [N], the value before the first forecast; series without one (NaN) are left out.

    Raises:
        GanvasError: shapes that do not fit, or nothing to compare.
    """
    if ensemble.ndim != 3 or ensemble.shape[1:] != truth.shape or last.shape != truth.shape[:1]:
        raise GanvasError(
            f"forecasts [M, N, H], truth [N, H] and last [N] do not fit: {ensemble.shape}, {truth.shape}, {last.shape}"
        )
    scores, still = measure_crps(ensemble, truth), np.abs(truth - last[:, None])
    is_known = ~np.isnan(scores) & ~np.isnan(still)
    if not is_known.any(0).all():
        raise GanvasError("a step of the forecasts has no truth in any series to compare with: give fewer steps")
    counts = is_known.sum(0)
    by_step, still_by_step = (np.where(is_known, values, 0).sum(0) / counts for values in (scores, still))
    crps, persistence = float(scores[is_known].mean()), float(still[is_known].mean())
    skill = 1 - crps / persistence if persistence > 0 else float("nan")
    return ForecastScore(crps, persistence, skill, by_step, still_by_step)


class ColumnForecasts(NamedTuple):
    """The CRPS of each column as a share of what standing still scores: 0 is perfect, 1 is as good as standing still."""

    mean: float  # NaN if no column can be scored
    by_column: dict[str, float]  # of numbers that change


def score_column_forecasts(members: Sequence[PlainSeries], truth: PlainSeries, known_steps: int) -> ColumnForecasts:
    """Score M forecasts of N windows, each a PlainSeries, from the step `known_steps` on.

    Columns of categories are left out, and those that never change, or have no truth at a step.

    Raises:
        GanvasError: other columns or windows, or no step to forecast.
    """
    check_same_series(truth, *members)
    if not 1 <= known_steps < truth.steps:
        raise GanvasError(
            f"{known_steps} known steps leave nothing to forecast in windows of {truth.steps}: give 1 or more, but less"
        )
    shares: dict[str, float] = {}
    for name, kind, values, *ensemble in zip(truth.names, truth.kinds, truth.values, *(m.values for m in members), strict=True):
        if kind != "number":
            continue
        values = np.where(truth.is_alive, values, np.nan)
        forecasts, future, last = np.stack(ensemble)[:, :, known_steps:], values[:, known_steps:], values[:, known_steps - 1]
        is_scored = ~np.isnan(forecasts).any(0) & ~np.isnan(future) & ~np.isnan(last)[:, None]
        if is_scored.any(0).all():
            score = score_forecasts(forecasts, future, last)
            shares |= {name: score.crps / score.persistence} if score.persistence > 0 else {}
    return ColumnForecasts(float(np.mean([*shares.values()])) if shares else float("nan"), shares)


def measure_crps(ensemble: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """CRPS of M members [M, …] for each truth [...], float64: E|X - y| - E|X - X'| / 2 (Gneiting, Raftery 2007, eq. 21).

    The second mean is over different members (Ferro 2014), so that few of them are not punished for being few.
    """
    members = np.sort(ensemble.astype(np.float64), axis=0)
    count = len(members)
    error = np.abs(members - truth).mean(0)
    if count < 2:
        return error
    weights = (2 * np.arange(1, count + 1) - count - 1).reshape(-1, *[1] * truth.ndim)
    spread = 2 * (weights * members).sum(0) / (count * (count - 1))
    return error - spread / 2
