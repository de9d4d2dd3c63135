"""Time series: windows of a table's rows, and windows as scores see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from ..errors import GanvasError
from .plain_table import PlainTable, ValueKind
from .tables import ColumnSurvey


@runtime_checkable
class SeriesItems(Protocol):
    """Windows of the series that lie in a table. A window is a run of rows of one series, and item i is its pyarrow.Table."""

    fingerprint: str
    title: str  # for messages: "weather.csv (23,395 windows of 24 x 6)"
    table: Any  # pyarrow.Table: all rows, series by series, each in the order of time
    surveys: Sequence[ColumnSurvey]  # one for each column of `table`, in its order
    series: np.ndarray  # int64 [R]: which series each row belongs to, rising from 0
    starts: np.ndarray  # int64 [N]: the row that each window starts with
    lengths: np.ndarray  # int64 [N]: its rows; fewer than `window` where the whole series is shorter
    window: int  # rows of a window
    key: str | None  # the column that names each row's series
    statics: tuple[str, ...]  # columns, besides the key, that never change within a series

    def __len__(self) -> int: ...


@runtime_checkable
class WindowCodec(Protocol):
    """A codec that stores overlapping windows in the memory of their rows."""

    def encode_windows(self, items: SeriesItems) -> tuple[np.ndarray, np.ndarray]:
        """(all windows of the rows in stored form, as a view [M, T, …]; which of them the items are, int64 [N])."""
        ...


@dataclass(frozen=True, eq=False)
class PlainSeries:
    """N windows of T steps as scores see them. A column's kind and values are those of `PlainTable`, with shape [N, T].

    Steps beyond a window's length hold anything: no score looks at them.

    Raises:
        GanvasError: columns that do not fit together, or lengths outside of 1 to T.
    """

    names: tuple[str, ...]
    kinds: tuple[ValueKind, ...]
    values: tuple[np.ndarray, ...]  # each [N, T]
    lengths: np.ndarray  # int64 [N]: the steps that each window has

    def __post_init__(self) -> None:
        shapes = {values.shape for values in self.values}
        if len(shapes) != 1 or len(next(iter(shapes))) != 2 or self.lengths.shape != next(iter(shapes))[:1]:
            raise GanvasError(f"columns of windows must all be [N, T], with N lengths, got {shapes} and {self.lengths.shape}")
        if len(self.lengths) and not (self.lengths.min() >= 1 and self.lengths.max() <= self.steps):
            raise GanvasError(f"windows of {self.steps} steps have lengths {self.lengths.min()} to {self.lengths.max()}")
        self.flatten()

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def steps(self) -> int:
        """T, the steps of the longest window that could be."""
        return self.values[0].shape[1]

    @property
    def is_alive(self) -> np.ndarray:
        """Which steps the windows have: bool [N, T]."""
        return np.arange(self.steps)[None] < self.lengths[:, None]

    def flatten(self) -> PlainTable:
        """All steps of all windows as the rows of one table."""
        return PlainTable(self.names, self.kinds, tuple(values[self.is_alive] for values in self.values))

    def take(self, rows: np.ndarray | slice) -> "PlainSeries":
        """These windows: their numbers, a mask or a slice."""
        return PlainSeries(self.names, self.kinds, tuple(values[rows] for values in self.values), self.lengths[rows])


def check_same_series(*windows: PlainSeries, min_windows: int = 1) -> None:
    """Raise GanvasError unless windows have the same columns and steps, and there are `min_windows` or more of each."""
    for other in windows:
        if (other.names, other.kinds, other.steps) != (windows[0].names, windows[0].kinds, windows[0].steps):
            raise GanvasError(
                f"windows to compare must have the same columns and steps: {', '.join(windows[0].names)} x {windows[0].steps}, "
                f"and {', '.join(other.names)} x {other.steps}"
            )
    fewest = min(map(len, windows))
    if fewest < min_windows:
        raise GanvasError(f"{fewest} windows are too few to compare: {min_windows} are needed")


@runtime_checkable
class PlainSeriesCodec(Protocol):
    """A codec of windows that scores can read."""

    @property
    def window(self) -> int: ...  # steps of a window
    def list_plain_series(self) -> Mapping[str, ValueKind]:
        """The names and kinds of the columns that are learnt, in their order."""
        ...

    def read_plain_series(self, stored: Tensor) -> PlainSeries:
        """Stored windows [N, T, C] as their values. Categories have the same codes in all windows of a codec."""
        ...
