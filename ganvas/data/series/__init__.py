"""Time series in a table: its rows in order, what each series is, and the windows that are samples."""

from .items import WindowItems
from .ordering import RowOrder, SeriesRows, find_row_order, order_rows
from .windows import WindowCut, build_windows

__all__ = ["RowOrder", "SeriesRows", "WindowCut", "WindowItems", "build_windows", "find_row_order", "order_rows"]
