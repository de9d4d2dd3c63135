"""How series depend on their own past, and columns on each other: errors of the auto- and the cross-correlation."""

from typing import NamedTuple

import numpy as np

from ...core import PlainSeries, check_same_series

MAX_LAG = 12
MAX_CODES = 20  # of a category: the commonest ones have a channel each


class _Channel(NamedTuple):
    """Numbers of one column, NaN where missing or over; of a category, 1 where it has one code."""

    name: str
    real: np.ndarray  # float64 [N, T]
    fake: np.ndarray  # float64 [M, T]


class CorrelationErrors(NamedTuple):
    """Mean absolute differences of correlations, 0 if equal."""

    mean: float
    by_column: dict[str, float]  # of the columns that have a correlation


def score_autocorrelations(real: PlainSeries, fake: PlainSeries, max_lag: int = MAX_LAG) -> CorrelationErrors:
    """Mean absolute difference of the autocorrelations at lags 1 to `max_lag`, or as far as windows reach.

    Raises:
        GanvasError: other columns, or no windows.
    """
    check_same_series(real, fake, min_windows=1)
    gaps: dict[str, list[float]] = {name: [] for name in real.names}
    for channel in _list_channels(real, fake):
        x, y = (measure_autocorrelations(values, max_lag) for values in (channel.real, channel.fake))
        if x.any() or y.any():  # a static has none
            gaps[channel.name].append(float(np.abs(x - y).mean()))
    return _average_gaps(gaps)


def measure_autocorrelations(values: np.ndarray, max_lag: int = MAX_LAG) -> np.ndarray:
    """Autocorrelations of windows [N, T] at lags 1 to min(max_lag, T - 1): float64 [lags]. Missing values are NaN.

    Each window's own mean is taken off; products and squares are averaged over all windows. 0 if nothing ever changes.
    """
    is_present = ~np.isnan(values)
    counts = np.maximum(is_present.sum(1, keepdims=True), 1)
    means = np.where(is_present, values, 0).sum(1, keepdims=True) / counts
    centred = np.where(is_present, values - means, 0.0)
    variance = np.square(centred).sum() / max(1, is_present.sum())
    lags = range(1, min(max_lag, values.shape[1] - 1) + 1)
    if variance <= 1e-12 * max(1.0, float(np.square(means).max(initial=0))):
        return np.zeros(len(lags))
    return np.array([_average_products(centred, is_present, centred, is_present, lag) / variance for lag in lags])


def score_cross_correlations(real: PlainSeries, fake: PlainSeries, max_lag: int = MAX_LAG) -> CorrelationErrors:
    """Mean absolute difference of the correlations between two different columns, one of them 0 to `max_lag` steps later.

    Raises:
        GanvasError: other columns, or no windows.
    """
    check_same_series(real, fake, min_windows=1)
    channels = _list_channels(real, fake)
    sides = [[_standardise(values) for values in (channel.real, channel.fake)] for channel in channels]
    lags = range(min(max_lag, real.steps - 1) + 1)
    gaps: dict[str, list[float]] = {name: [] for name in real.names}
    for first, x_sides in zip(channels, sides, strict=True):
        for second, y_sides in zip(channels, sides, strict=True):
            if first.name != second.name:
                x, y = (
                    np.array([_average_products(*of_first, *of_second, lag) for lag in lags])
                    for of_first, of_second in zip(x_sides, y_sides, strict=True)
                )
                gap = float(np.abs(x - y).mean())
                gaps[first.name].append(gap)
                gaps[second.name].append(gap)
    return _average_gaps(gaps)


def _average_gaps(gaps: dict[str, list[float]]) -> CorrelationErrors:
    errors = {name: float(np.mean(values)) for name, values in gaps.items() if values}
    return CorrelationErrors(float(np.mean([*errors.values()])) if errors else 0.0, errors)


def _list_channels(real: PlainSeries, fake: PlainSeries) -> list[_Channel]:
    """Of each number one channel; of a category one for each of its commonest codes."""
    channels = list[_Channel]()
    for name, kind, x, y in zip(real.names, real.kinds, real.values, fake.values, strict=True):
        if kind == "number":
            channels.append(_Channel(name, np.where(real.is_alive, x, np.nan), np.where(fake.is_alive, y, np.nan)))
            continue
        codes, counts = np.unique(x[real.is_alive], return_counts=True)
        for code in codes[np.argsort(-counts, kind="stable")][:MAX_CODES]:
            flags = [np.where(side.is_alive, values == code, np.nan) for side, values in ((real, x), (fake, y))]
            channels.append(_Channel(name, flags[0], flags[1]))
    return channels


def _standardise(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values with mean 0 and variance 1, and 0 where missing; where they are present)."""
    is_present = ~np.isnan(values)
    if not is_present.any():
        return np.zeros_like(values), is_present
    centred = np.where(is_present, values - values[is_present].mean(), 0.0)
    scale = np.sqrt(np.square(centred).sum() / is_present.sum())
    return centred / (scale or 1.0), is_present


def _average_products(x: np.ndarray, has_x: np.ndarray, y: np.ndarray, has_y: np.ndarray, lag: int) -> float:
    """The mean of x[t] y[t + lag] where both are present."""
    steps = x.shape[1] - lag
    count = (has_x[:, :steps] & has_y[:, lag:]).sum()
    return float((x[:, :steps] * y[:, lag:]).sum() / max(1, count))
