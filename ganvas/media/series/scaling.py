"""Numbers from 0 to 1: over the whole column, and once more over each window. Both ways can be undone."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..table.columns import NumberColumn
from ..table.mixtures import list_ends

MARGIN = 1e-4  # of a column's range, around that of a window: a constant window would else be 0 / 0 (the authors' code)


class ColumnScale(NamedTuple):
    """The codes of a column of numbers as places between its lowest and its highest number."""

    places: np.ndarray  # float64 [K], from 0 to 1; NaN: missing
    order: np.ndarray  # int64 [P]: the codes that are numbers, from the lowest

    def find_codes(self, places: np.ndarray) -> np.ndarray:
        """The codes int64 that are nearest to places float64, of one shape."""
        rising = self.places[self.order]
        return self.order[np.searchsorted((rising[:-1] + rising[1:]) / 2, places)]


class WindowRange(NamedTuple):
    """The range of a column in each window, with a margin: float [N, 1] each."""

    middle: Tensor
    reach: Tensor  # half the range

    def scale(self, values: Tensor) -> Tensor:
        """[N, T], from 0 at the lower end of the range to 1 at the upper one."""
        return (values - self.middle) / (2 * self.reach) + 0.5

    def restore(self, scaled: Tensor) -> Tensor:
        return self.middle + (scaled - 0.5) * 2 * self.reach


def measure_column(column: NumberColumn) -> ColumnScale:
    """Each code stands for the middle of its interval."""
    low, high = list_ends(column)
    values = (low + high) / 2
    lowest, highest = np.nanmin(values), np.nanmax(values)
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]  # NaN is sorted last
    return ColumnScale((values - lowest) / ((highest - lowest) or 1.0), order)


def measure_windows(values: Tensor, is_there: Tensor) -> WindowRange:
    """The ranges of windows [N, T] over the steps where a value is there. A window without any has the range of a 0."""
    lowest = values.where(is_there, torch.inf).amin(1, keepdim=True)
    highest = values.where(is_there, -torch.inf).amax(1, keepdim=True)
    lowest, highest = (torch.where(end.isinf(), 0.0, end) for end in (lowest, highest))
    return WindowRange((highest + lowest) / 2, (highest - lowest) / 2 + MARGIN)
