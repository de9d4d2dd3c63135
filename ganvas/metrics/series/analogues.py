"""Real windows that began as others did: what simple memory forecasts. Lorenz 1969, "Atmospheric predictability as revealed by
naturally occurring analogues".
"""

import numpy as np

from ...core import PlainSeries, check_same_series


def find_analogues(reference: PlainSeries, windows: PlainSeries, known_steps: int, count: int) -> np.ndarray:
    """The windows of a reference whose first steps are most like those of N windows, the nearest first: int64 [count, N].

    Numbers are compared in units of their deviation, with a missing one as the mean. Two categories differ by 1, or by 0.

    Raises:
        GanvasError: other columns, or fewer than `count` windows in the reference.
    """
    check_same_series(reference, windows)
    check_same_series(reference, min_windows=count)
    squares = np.zeros((len(windows), len(reference)))
    for kind, x, y in zip(reference.kinds, reference.values, windows.values, strict=True):
        x, y = x[:, :known_steps], y[:, :known_steps]
        if kind == "category":
            squares += sum((y[:, None, t] != x[None, :, t]).astype(float) for t in range(known_steps))
            continue
        mean, deviation = np.nanmean(x), np.nanstd(x)
        x, y = (np.nan_to_num((side - mean) / (deviation or 1.0)) for side in (x, y))
        squares += np.square(y).sum(1)[:, None] - 2 * y @ x.T + np.square(x).sum(1)[None]
    nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(squares, nearest, 1), axis=1, kind="stable")
    return np.take_along_axis(nearest, order, 1).T
