"""Windows of real or decoded rows, as scores see them."""

from typing import Any

import numpy as np

from ...core import PlainSeries, ValueKind
from ...system.arrow import import_arrow
from ..table import CategoryColumn, DateColumn
from ..table.columns import ColumnCodec
from ..table.columns.date import count_time
from ..table.columns.number import convert_to_numbers, round_to_digits
from .known import ColumnsOfWindows


def build_plain_series(codec: ColumnsOfWindows, table: Any, starts: np.ndarray, lengths: np.ndarray) -> PlainSeries:
    """The columns that are learnt of windows of a pyarrow.Table: those that begin at rows [N], of so many steps [N].

    A category's codes are its codec's. A date is a number in the resolution of its codec.
    """
    columns = [column for column in codec.columns if column.fields]
    steps = np.minimum(np.arange(codec.window)[None], lengths[:, None] - 1)  # what is over repeats the last step
    rows = starts[:, None] + steps
    values = tuple(_read_column(column, table.column(column.name).combine_chunks())[rows] for column in columns)
    kinds: list[ValueKind] = ["category" if isinstance(column, CategoryColumn) else "number" for column in columns]
    return PlainSeries(tuple(column.name for column in columns), tuple(kinds), values, lengths)


def find_window_rows(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of a decoded table: the row with which each window starts, and how many it has, int64 [N] each."""
    starts = np.flatnonzero(table.column(1).to_numpy() == 0)
    return starts, np.diff(np.append(starts, len(table)))


def _read_column(column: ColumnCodec, values: Any) -> np.ndarray:
    if isinstance(column, CategoryColumn):
        return column.encode(values).astype(np.int64)
    if isinstance(column, DateColumn):
        values = count_time(values, column.resolution)
    numbers = convert_to_numbers(values if values.null_count < len(values) else values.cast(import_arrow().float64()))
    return round_to_digits(numbers)  # as the codec does: else a judge knows real numbers by their last bit
