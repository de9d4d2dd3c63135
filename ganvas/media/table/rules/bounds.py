"""A column that stays between two values. Column codecs never leave the data; this rule checks that other rules do not."""

from dataclasses import replace
from typing import Any

import numpy as np

from ....configuration import config
from ....errors import GanvasError, require
from ....system.arrow import import_arrow, parse_arrow_type
from .numbers import is_date_type, is_number_type
from .rule import ColumnForm, RuleContext, WholeRule, read_forms, take_column

Bound = float | str | None


@config
class Bounds(WholeRule):
    """lowest <= column <= highest. Bounds of dates are texts: "2024-01-31", or "2024-01-31 12:00:00". None: no bound.

    Nothing is clipped. Where another rule computes the column, so that it could leave its bounds, training is refused.
    """

    column: str
    lowest: Bound = None
    highest: Bound = None
    forms: tuple[ColumnForm, ...] = ()

    def __post_init__(self) -> None:
        require(self.lowest is not None or self.highest is not None, "lowest", self.lowest, "a bound, or else highest")
        if isinstance(self.lowest, float | int) and isinstance(self.highest, float | int):
            require(self.lowest <= self.highest, "lowest", self.lowest, f"no greater than highest, {self.highest}")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def describe(self) -> str:
        low, high = (f"{bound:.15g}" if isinstance(bound, float) else bound for bound in (self.lowest, self.highest))
        return f"{'' if low is None else f'{low} <= '}{self.column}{'' if high is None else f' <= {high}'}"

    def fit_to(self, sample: Any, context: RuleContext) -> "Bounds":
        forms = read_forms(sample, self.columns)
        kind = parse_arrow_type(forms[0].type)
        if not (is_date_type(kind) or is_number_type(kind)):
            raise GanvasError(f"column {self.column!r} has type {forms[0].type}: only numbers and dates have bounds")
        for bound in (self.lowest, self.highest):
            if bound is not None:
                _parse_bound(bound, kind, self.column)
        return replace(self, forms=forms)

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        compute = import_arrow("pyarrow.compute")
        values = take_column(table, self.forms[0])
        kind, marks = values.type, np.zeros(table.num_rows, bool)
        for bound, compare in ((self.lowest, compute.less), (self.highest, compute.greater)):
            if bound is not None:
                is_beyond = compare(values, _parse_bound(bound, kind, self.column))
                marks |= compute.fill_null(is_beyond, False).to_numpy(zero_copy_only=False)
        return marks

    def explain_break(self, row: Any) -> str:
        return "that is beyond the bounds"


def _parse_bound(bound: float | str, kind: Any, name: str) -> Any:
    """The bound to compare values of an Arrow type with (pyarrow.Scalar). Raises GanvasError for one of another type."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    if not is_date_type(kind):
        if isinstance(bound, str):
            raise GanvasError(f"column {name!r} has numbers, so {bound!r} is no bound of it: write a number")
        return arrow.scalar(float(bound))
    zone = kind.tz if types.is_timestamp(kind) else None
    try:
        return arrow.scalar(str(bound)).cast(arrow.timestamp("us")).cast(arrow.timestamp("us", zone))
    except arrow.ArrowException:
        raise GanvasError(f"column {name!r} has dates, so {bound!r} is no bound of it: write it as 2024-01-31") from None
