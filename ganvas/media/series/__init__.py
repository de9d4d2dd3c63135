"""Windows of time series: rows of a table that follow each other, stored as one number a cell."""

from .codec import SeriesCodec
from .medium import Series
from .plain import build_plain_series, find_window_rows
from .scaled import ScaledSeries
from .scaled_codec import ScaledCodec

__all__ = ["ScaledCodec", "ScaledSeries", "Series", "SeriesCodec", "build_plain_series", "find_window_rows"]
