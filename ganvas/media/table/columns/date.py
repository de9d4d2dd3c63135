"""Dates and times as numbers, with the format in which they were written."""

from typing import Any, Literal

import numpy as np

from ....configuration import config
from ....core import FORMAT_KEY, Field
from ....system.arrow import import_arrow, parse_arrow_type
from .column import CodeLayout
from .number import NumberColumn, fit_number_column

Resolution = Literal["days", "minutes", "seconds", "microseconds"]
MICROSECONDS: dict[Resolution, int] = {  # coarsest first
    "days": 86_400_000_000, "minutes": 60_000_000, "seconds": 1_000_000, "microseconds": 1
}  # fmt: skip


@config
class DateColumn:
    """The codes of `number`, which counts days, seconds or the like since 1970."""

    name: str
    type: str
    number: NumberColumn
    resolution: Resolution
    format: str = ""  # as strftime says it; empty: as Arrow writes it

    @property
    def metadata(self) -> dict[bytes, bytes]:
        return {FORMAT_KEY: self.format.encode()} if self.format else {}

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.number.fields

    def lay_out(self) -> CodeLayout:
        return self.number.lay_out()

    def encode(self, values: Any) -> np.ndarray:
        return self.number.encode(count_time(values, self.resolution))

    def decode(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        return self.decode_counts(self.number.decode(codes, places, rows), parse_arrow_type(self.type))

    def decode_counts(self, counts: Any, kind: Any) -> Any:
        """Numbers of days, seconds or the like (an array) as values of a type (pyarrow array)."""
        arrow, types, compute = import_arrow(), import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
        counts = arrow.array(counts)
        times = compute.multiply(counts, MICROSECONDS[self.resolution]).cast(arrow.timestamp("us"))
        if types.is_timestamp(kind) and kind.tz:
            return times.cast(arrow.timestamp("us", kind.tz)).cast(kind, safe=False)
        return times.cast(kind, safe=False)


def count_time(values: Any, resolution: Resolution) -> Any:
    """Dates or times (pyarrow array) as whole days, seconds or the like since 1970, rounded down: int64."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    microseconds = values.cast(arrow.timestamp("us", getattr(values.type, "tz", None)), safe=False).cast(arrow.int64())
    numbers = microseconds.cast(arrow.float64(), safe=False)  # of a year as far as 9999, exact to some microseconds
    return compute.floor(compute.divide(numbers, MICROSECONDS[resolution])).cast(arrow.int64())


def fit_date_column(name: str, values: Any, k: int, date_format: str = "") -> DateColumn | None:
    """The codec of a column of dates or times (pyarrow array); None if fewer than k rows have one."""
    resolution = find_resolution(values)
    number = fit_number_column(name, count_time(values, resolution), k)
    if number is None:
        return None
    return DateColumn(name=name, type=str(values.type), number=number, resolution=resolution, format=date_format)


def find_resolution(values: Any) -> Resolution:
    """The coarsest one that loses nothing."""
    compute = import_arrow("pyarrow.compute")
    exact_counts = count_time(values, "microseconds")

    def is_exact(resolution: Resolution) -> bool:
        counts = compute.multiply(count_time(values, resolution), MICROSECONDS[resolution])
        return compute.all(compute.equal(counts, exact_counts)).as_py() is not False

    if is_exact("days"):
        return "days"
    if is_exact("minutes"):
        return "minutes"
    return "seconds" if is_exact("seconds") else "microseconds"
