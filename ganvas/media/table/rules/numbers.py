"""Columns of numbers and dates as float64, and back to their grids: decimals, steps, whole days."""

from typing import Any

import numpy as np

from ....errors import GanvasError
from ....system.arrow import import_arrow, parse_arrow_type
from ..columns.date import MICROSECONDS, Resolution, count_time, find_resolution
from ..columns.number import NumberColumn, convert_from_numbers, convert_to_numbers, fit_number_column
from .rule import ColumnForm, take_column

SAME_SHARE = 1e-9  # of a number's size: numbers that differ by less are the same
SAME_SHARE_SINGLE = 1e-6  # of numbers with 32 or 16 bits


def is_date_type(kind: Any) -> bool:
    """Whether values of an Arrow type are dates, alone or with a time of day."""
    types = import_arrow("pyarrow.types")
    return types.is_timestamp(kind) or types.is_date(kind)


def is_number_type(kind: Any) -> bool:
    """Whether values of an Arrow type are numbers."""
    types = import_arrow("pyarrow.types")
    return types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)


def find_shared_resolution(columns: list[Any]) -> Resolution | None:
    """The finest resolution of columns of dates (pyarrow arrays); None if they are numbers."""
    if not is_date_type(columns[0].type):
        return None
    return min((find_resolution(values) for values in columns), key=lambda resolution: MICROSECONDS[resolution])


def read_counts(values: Any, resolution: Resolution | None) -> np.ndarray:
    """Numbers, or dates in units of a resolution since 1970 (pyarrow array), as float64 [n]: NaN where missing."""
    numbers = convert_to_numbers(values if resolution is None else count_time(values, resolution))
    is_decimal = import_arrow("pyarrow.types").is_decimal(values.type)
    return np.round(numbers, values.type.scale) if is_decimal else numbers  # Arrow's conversion errs by a last bit


def write_counts(counts: np.ndarray, form: ColumnForm, resolution: Resolution | None) -> Any:
    """The inverse of `read_counts`, in the column's type (pyarrow array)."""
    arrow, types, compute = import_arrow(), import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
    kind, array = parse_arrow_type(form.type), import_arrow().array(counts, from_pandas=True)
    if resolution is None:
        return convert_from_numbers(array, kind)
    times = compute.multiply(array.cast(arrow.int64()), MICROSECONDS[resolution])
    zone = kind.tz if types.is_timestamp(kind) else None
    return times.cast(arrow.timestamp("us", zone)).cast(kind, safe=False)


def read_form_counts(table: Any, form: ColumnForm, resolution: Resolution | None) -> np.ndarray:
    """`read_counts` of a table's column."""
    return read_counts(take_column(table, form), resolution)


def fit_counts(form: ColumnForm, values: Any, resolution: Resolution | None, k: int) -> NumberColumn:
    """The codec that a column of numbers or dates would have. Raises GanvasError if fewer than k rows have a value."""
    if resolution is not None or import_arrow("pyarrow.types").is_decimal(values.type):
        values = import_arrow().array(read_counts(values, resolution), from_pandas=True)
    column = fit_number_column(form.name, values, k)
    if column is None:
        raise GanvasError(f"column {form.name!r} has a value in fewer than {k} rows: leave it out of the rule")
    return column


def find_limits(column: NumberColumn) -> tuple[float, float]:
    """The least and the greatest number that the codec keeps. k rows lie beyond each, or hold it."""
    numbers = np.concatenate([*column.ends, np.array(column.spikes)])
    return float(numbers.min()), float(numbers.max())


def snap(numbers: np.ndarray, decimals: int | None, step: int) -> np.ndarray:
    """The nearest numbers on the grid of all multiples of `step`, in units of the last decimal. None: there is no grid."""
    return numbers if decimals is None else _scale_down(np.rint(_scale_up(numbers, decimals, step)), decimals, step)


def snap_up(numbers: np.ndarray, decimals: int | None, step: int) -> np.ndarray:
    """The least numbers on the grid that are no less. A number that is on it but for rounding stays."""
    nearest = snap(numbers, decimals, step)
    return nearest if decimals is None else np.where(nearest >= numbers, nearest, _move(nearest, 1, decimals, step))


def snap_down(numbers: np.ndarray, decimals: int | None, step: int) -> np.ndarray:
    """The greatest numbers on the grid that are no greater."""
    nearest = snap(numbers, decimals, step)
    return nearest if decimals is None else np.where(nearest <= numbers, nearest, _move(nearest, -1, decimals, step))


def _move(numbers: np.ndarray, steps: int, decimals: int, step: int) -> np.ndarray:
    return _scale_down(np.rint(_scale_up(numbers, decimals, step)) + steps, decimals, step)


def _scale_up(numbers: np.ndarray, decimals: int, step: int) -> np.ndarray:
    return numbers * 10.0**decimals / step


def _scale_down(numbers: np.ndarray, decimals: int, step: int) -> np.ndarray:
    return np.round(numbers * step / 10.0**decimals, decimals)


def count_most_decimals(kind: Any) -> int | None:
    """How many decimals an Arrow type of numbers can have; None: as many as one likes."""
    types = import_arrow("pyarrow.types")
    return 0 if types.is_integer(kind) else kind.scale if types.is_decimal(kind) else None


def get_same_share(kind: Any) -> float:
    """How large a part of a number rounding may change in an Arrow type."""
    types = import_arrow("pyarrow.types")
    return SAME_SHARE_SINGLE if types.is_float32(kind) or types.is_float16(kind) else SAME_SHARE
