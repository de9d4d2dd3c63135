"""How near the distributions of values, and of what changes from one step to the next, come to the real ones."""

import numpy as np

from ...core import PlainSeries, PlainTable, check_same_series
from ..tables import score_shapes

MAX_CODES = 2**31  # of a category: two fit into 64 bits


def score_series_shapes(real: PlainSeries, fake: PlainSeries) -> dict[str, float]:
    """For each column, over all steps of all windows: 1 - Kolmogorov-Smirnov, or 1 - total variation. 1 is equal.

    Raises:
        GanvasError: other columns, or no windows.
    """
    check_same_series(real, fake, min_windows=1)
    return score_shapes(real.flatten(), fake.flatten())


def score_step_shapes(real: PlainSeries, fake: PlainSeries) -> dict[str, float]:
    """The same of what changes in a step: the difference of numbers, or from which category to which.

    A thermometer that shows tenths, or a value that stays for hours, is seen here and hardly in the values themselves.

    Raises:
        GanvasError: other columns, no windows, or windows of one step.
    """
    check_same_series(real, fake, min_windows=1)
    return score_shapes(*(_list_steps(series) for series in (real, fake)))


def _list_steps(series: PlainSeries) -> PlainTable:
    """The steps of all windows as rows: of numbers the difference, NaN beside a missing one; of categories a code of both."""
    follows = series.is_alive[:, 1:]
    steps = [
        values[:, :-1] * MAX_CODES + values[:, 1:] if kind == "category" else np.diff(values, axis=1)
        for kind, values in zip(series.kinds, series.values, strict=True)
    ]
    return PlainTable(series.names, series.kinds, tuple(values[follows] for values in steps))
