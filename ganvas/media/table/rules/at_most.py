"""a <= b, for numbers and dates: b is stored as what it has more than a, which is never negative."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ....configuration import config
from ....core import ColumnKind
from ....errors import GanvasError, require
from ....system.arrow import import_arrow, parse_arrow_type
from ..columns.date import Resolution
from ..columns.number import find_decimals, fit_number_column
from .numbers import (
    SAME_SHARE,
    count_most_decimals,
    find_limits,
    find_shared_resolution,
    fit_counts,
    is_date_type,
    is_number_type,
    read_form_counts,
    snap,
    snap_down,
    snap_up,
    write_counts,
)
from .rule import ColumnForm, RuleContext, WholeRule, insert_columns, join_words, name_stored_column, read_forms, take_column


@config
class AtMost(WholeRule):
    """In each row, no value of `lows` is greater than that of `high`. Missing values hold no one back.

    `high` starts from the greatest of `lows`, or from `lowest` if that is greater. A difference that would lead beyond
    `highest` is shortened in proportion, so that `high` stays within the data. All that follows `high` is set by `fit_to`.
    """

    lows: tuple[str, ...]
    high: str
    stored_name: str = ""
    forms: tuple[ColumnForm, ...] = ()  # of the lows, then of high
    resolution: Resolution | None = None  # the unit of all numbers below, if these are dates
    decimals: int | None = None  # of high
    step: int = 1
    difference_decimals: int | None = None
    lowest: float = 0.0  # of high
    highest: float = 0.0
    longest: float = 0.0  # the greatest difference
    is_missing_beyond: bool = False  # whether high is missing where a low is beyond `highest`

    def __post_init__(self) -> None:
        require(len(self.lows) > 0, "lows", self.lows, "the name of a column, or several")
        require(self.high not in self.lows, "high", self.high, "another column than lows")

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.lows, self.high)

    @property
    def decided_columns(self) -> tuple[str, ...]:
        return (self.high,)

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        return {self.stored_name: "integer" if self.difference_decimals == 0 else "number"} if self.stored_name else {}

    @property
    def stored_names(self) -> Mapping[str, str]:
        return {self.high: self.stored_name} if self.stored_name else {}

    def describe(self) -> str:
        return f"{join_words(self.lows)} <= {self.high}"

    def fit_to(self, sample: Any, context: RuleContext) -> "AtMost":
        forms = read_forms(sample, self.columns)
        arrays = [take_column(sample, form) for form in forms]
        self._check_types([values.type for values in arrays])
        resolution = find_shared_resolution(arrays)
        column = fit_counts(forms[-1], arrays[-1], resolution, context.k)
        lowest, highest = find_limits(column)
        rule = AtMost(
            lows=self.lows,
            high=self.high,
            stored_name=name_stored_column(f"{self.high} - {self._name_lows()}", sample.schema.names),
            forms=forms,
            resolution=resolution,
            decimals=count_most_decimals(arrays[-1].type) if column.decimals is None else column.decimals,
            step=column.step,
            difference_decimals=_find_shared_decimals([read_form_counts(sample, f, resolution) for f in forms], arrays),
            lowest=lowest,
            highest=highest,
        )
        return rule._fit_differences(sample, context)

    def _fit_differences(self, sample: Any, context: RuleContext) -> "AtMost":
        """With `longest`, and whether high is always missing where a low is beyond it."""
        differences = import_arrow().array(self._measure_differences(sample), from_pandas=True)
        column = fit_number_column(self.stored_name, differences, context.k)
        bases, highs = self._find_bases(sample), read_form_counts(sample, self.forms[-1], self.resolution)
        is_open = bool((np.isnan(highs) & (bases > self._ceiling)).any())
        return replace(
            self,
            longest=0.0 if column is None else find_limits(column)[1],
            is_missing_beyond=is_open and self.high not in context.shares_missing,
        )

    def _name_lows(self) -> str:
        return self.lows[0] if len(self.lows) == 1 else f"max({', '.join(self.lows)})"

    def _check_types(self, kinds: list[Any]) -> None:
        for is_type in (is_date_type, is_number_type):
            if all(map(is_type, kinds)):
                return
        types = import_arrow("pyarrow.types")
        if types.is_temporal(kinds[0]) and len(set(kinds)) == 1:
            return
        texts = join_words(f"{name} has {kind}" for name, kind in zip(self.columns, kinds, strict=True))
        raise GanvasError(f"only numbers, or only dates, can be compared: {texts}")

    @property
    def _floor(self) -> float:
        return float(snap_up(np.array([self.lowest]), self.decimals, self.step)[0])

    @property
    def _ceiling(self) -> float:
        return max(float(snap_down(np.array([self.highest]), self.decimals, self.step)[0]), self._floor)

    def _find_bases(self, table: Any) -> np.ndarray:
        """What the differences are counted from: float64 [n]."""
        lows = [read_form_counts(table, form, self.resolution) for form in self.forms[:-1]]
        return np.fmax.reduce([*lows, np.full(table.num_rows, self._floor)])

    def _measure_differences(self, table: Any) -> np.ndarray:
        differences = read_form_counts(table, self.forms[-1], self.resolution) - self._find_bases(table)
        return np.maximum(snap(differences, self.difference_decimals, 1), 0.0)

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        *lows, high = [read_form_counts(table, form, self.resolution) for form in self.forms]
        return np.any([low > high for low in lows], axis=0)  # no comparison with NaN is true

    def explain_break(self, row: Any) -> str:
        *lows, high = [read_form_counts(row, form, self.resolution)[0] for form in self.forms]
        greater_names = [name for name, low in zip(self.lows, lows, strict=True) if low > high]
        return f"{self.high} is {'before' if self.resolution else 'less than'} {join_words(greater_names)}"

    def reduce(self, table: Any) -> Any:
        arrow, differences = import_arrow(), self._measure_differences(table)
        array = arrow.array(differences, from_pandas=True)
        array = array.cast(arrow.int64()) if self.difference_decimals == 0 else array
        return table.set_column(table.schema.get_field_index(self.high), self.stored_name, array)

    def restore(self, table: Any) -> Any:
        differences = table.column(self.stored_name).cast("float64").combine_chunks().to_numpy(zero_copy_only=False)
        bases, ceiling = self._find_bases(table), self._ceiling
        room = np.maximum(ceiling - bases, 0.0)
        shortened = room * np.minimum(differences / self.longest, 1.0) if self.longest > 0 else np.minimum(differences, 0.0)
        is_too_long = differences > room + SAME_SHARE * (np.abs(bases) + abs(ceiling))
        highs = np.minimum(bases + np.where(is_too_long, shortened, differences), np.maximum(bases, ceiling))
        nearest = snap(highs, self.decimals, self.step)
        highs = np.where(nearest < bases, snap_up(bases, self.decimals, self.step), nearest)
        if self.is_missing_beyond:
            highs = np.where(bases > ceiling, np.nan, highs)
        place = table.schema.get_field_index(self.stored_name)
        return insert_columns(table.remove_column(place), self.forms[-1:], [self._write_highs(highs, bases)])

    def _write_highs(self, highs: np.ndarray, bases: np.ndarray) -> Any:
        """Values (pyarrow array) in the type of high. Numbers of few bits are moved where rounding took them below."""
        kind, types = parse_arrow_type(self.forms[-1].type), import_arrow("pyarrow.types")
        if types.is_float32(kind) or types.is_float16(kind):
            single = np.float32 if types.is_float32(kind) else np.float16
            numbers = highs.astype(single)
            highs = np.where(numbers < bases, np.nextafter(numbers, single(np.inf)), numbers).astype(np.float64)
        return write_counts(highs, self.forms[-1], self.resolution)


def _find_shared_decimals(columns: list[np.ndarray], arrays: list[Any]) -> int | None:
    """How many decimals the differences of these columns get along with; None if too many."""
    pairs = zip(columns, arrays, strict=True)
    numbers = [0 if is_date_type(a.type) else find_decimals(c[~np.isnan(c)], a.type) for c, a in pairs]
    known_decimals = [decimals for decimals in numbers if decimals is not None]
    return max(known_decimals) if len(known_decimals) == len(numbers) else None
