"""Windows of the time series in a table: of each station, person or sensor, rows that follow each other in time."""

from functools import cached_property

from ..configuration import config
from ..errors import GanvasError, require
from .rows_source import find_part_path
from .series import SeriesRows, WindowCut, WindowItems, build_windows, order_rows
from .tables import read_table_rows

MAX_WINDOW = 100_000


@config
class Windows:
    """Windows of time series. The end of time is held out: the last tenth of each series, which no training window touches."""

    path: str  # a table, as `Rows` reads it
    window: int = 24  # rows of a sample
    stride: int = 1  # rows from the start of a window to that of the next
    key: str | None = None  # the column that names the station or person; None: the table is one series
    time: str | None = None  # the column to sort by: dates or numbers; None: the rows are in order
    leave_out: tuple[str, ...] = ()  # columns that are not used

    def __post_init__(self) -> None:
        require(2 <= self.window <= MAX_WINDOW, "window", self.window, f"2 to {MAX_WINDOW:,}")
        require(self.stride >= 1, "stride", self.stride, "1 or more")
        for name, column in (("key", self.key), ("time", self.time)):
            require(column is None or column not in self.leave_out, name, column, "a column that is not left out")

    @cached_property
    def _series(self) -> SeriesRows:
        rows = read_table_rows(find_part_path(self.path, "train") or self.path, self.leave_out)
        return order_rows(rows, self.key, self.time)

    def items(self, suffixes: tuple[str, ...]) -> WindowItems:
        """The windows to train on. Raises GanvasError for a table that holds no such series."""
        windows = build_windows(self._series, WindowCut(self.window, self.stride), is_held_out=False)
        if windows is None:
            raise GanvasError(f"{self.path} has no windows to train on: give more rows, or a smaller `window`")
        return windows

    def held_out(self, suffixes: tuple[str, ...]) -> WindowItems | None:
        """The windows at the end of time; None if all series are too short to spare them."""
        return build_windows(self._series, WindowCut(self.window, self.stride), is_held_out=True)
