"""The step of time between the rows of series: regular with a few gaps, or irregular."""

from typing import Any, NamedTuple

import numpy as np

from ...system.arrow import import_arrow

REGULAR_SHARE = 0.9  # of all steps, if they are alike
TOLERANCE = 1e-6  # of a step: numbers with decimals are not exact
UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
NAMED_STEPS = {1: "every second", 60: "every minute", 3600: "hourly", 86_400: "daily", 604_800: "weekly"}
LARGER_UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


class Step(NamedTuple):
    """The time from a row to the next one of its series."""

    size: float  # the median, in the unit of the column
    is_regular: bool
    words: str  # "hourly"

    def find_gaps(self, times: np.ndarray) -> np.ndarray:
        """Which of the rows at `times` [R] are not one step after the row before them: bool [R]. None, if it is irregular."""
        if not self.is_regular:
            return np.zeros(len(times), bool)
        return np.concatenate([[True], np.abs(np.diff(times) - self.size) > TOLERANCE * self.size])


def find_step_of_time(times: np.ndarray, series: np.ndarray, kind: Any) -> Step:
    """The step of rising times [R] of series [R], in a column of type `kind` (pyarrow.DataType)."""
    steps = np.diff(times)[series[1:] == series[:-1]]
    if not len(steps):
        return Step(0.0, False, "one row each")
    size = float(np.sort(steps)[len(steps) // 2])
    is_regular = bool((np.abs(steps - size) <= TOLERANCE * size).mean() >= REGULAR_SHARE)
    words = _describe_step(size, kind) if is_regular else "at irregular times, whose distances are not learnt"
    return Step(size, is_regular, words)


def _describe_step(size: float, kind: Any) -> str:
    types = import_arrow("pyarrow.types")
    if types.is_date32(kind):
        seconds = size * 86_400
    elif types.is_temporal(kind):
        seconds = size / UNITS_PER_SECOND.get(getattr(kind, "unit", "ms"), 1000)  # date64 counts milliseconds
    else:
        return f"in steps of {size:g}"
    if seconds in NAMED_STEPS:
        return NAMED_STEPS[int(seconds)]
    unit, name = next((pair for pair in LARGER_UNITS if seconds % pair[0] == 0), (1, "seconds"))
    return f"every {seconds / unit:g} {name}"
