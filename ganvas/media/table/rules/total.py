"""A column that is the sum or the product of others: it is computed, not learnt."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from ....configuration import config
from ....errors import GanvasError, require
from ....system.arrow import import_arrow, parse_arrow_type
from ..columns.number import MAX_DECIMALS, convert_from_numbers, find_decimals
from .numbers import count_most_decimals, get_same_share, is_number_type, read_form_counts
from .rule import ColumnForm, RuleContext, WholeRule, insert_columns, read_forms


@config
class Total(WholeRule):
    """`total` is the sum or the product of `parts` in each row that has all of them. One part: both are the same.

    A total that the data rounds to fewer decimals than its parts need is rounded likewise. Where a part is missing,
    the total is missing as well, unless the data sums up the parts that there are.
    """

    total: str
    parts: tuple[str, ...]
    operation: Literal["sum", "product"] = "sum"
    forms: tuple[ColumnForm, ...] = ()  # of the parts, then of the total
    decimals: int | None = None  # of the total; None: too many to round
    is_rounded: bool = False  # whether that loses something
    skips_missing: bool = False

    def __post_init__(self) -> None:
        require(len(set(self.parts)) == len(self.parts) > 0, "parts", self.parts, "the names of columns, each once")
        require(self.total not in self.parts, "total", self.total, "no part of itself")
        require(self.operation in ("sum", "product"), "operation", self.operation, "sum or product")

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.parts, self.total)

    @property
    def decided_columns(self) -> tuple[str, ...]:
        return (self.total,)

    def describe(self) -> str:
        return f"{self.total} = {(' + ' if self.operation == 'sum' else ' * ').join(self.parts)}"

    def fit_to(self, sample: Any, context: RuleContext) -> "Total":
        forms = read_forms(sample, self.columns)
        for form in forms:
            if not is_number_type(parse_arrow_type(form.type)):
                raise GanvasError(f"column {form.name!r} has type {form.type}: a total and its parts have to be numbers")
        rule = replace(self, forms=forms)
        decimals, is_rounded = rule._find_decimals(sample)
        rule = replace(rule, decimals=decimals, is_rounded=is_rounded)
        return replace(rule, skips_missing=rule._has_totals_of_present_parts(sample))

    def _find_decimals(self, sample: Any) -> tuple[int | None, bool]:
        """How many decimals the total gets, and whether its parts would need more."""
        kind = parse_arrow_type(self.forms[-1].type)
        columns = [read_form_counts(sample, form, None) for form in self.forms]
        pairs = zip(columns, self.forms, strict=True)
        *parts, own_decimals = [find_decimals(c[~np.isnan(c)], parse_arrow_type(f.type)) for c, f in pairs]
        known_parts = [decimals for decimals in parts if decimals is not None]
        needed = (max if self.operation == "sum" else sum)(known_parts) if len(known_parts) == len(parts) else None
        needed = None if needed is not None and needed > MAX_DECIMALS else needed
        most_decimals = count_most_decimals(kind)
        has_room = most_decimals is None or (needed is not None and needed <= most_decimals)
        is_exact = not (self._measure_errors(sample) > self._measure_rounding(columns)).any()
        if has_room and (is_exact or own_decimals is None):
            return needed, False
        own_decimals = most_decimals if own_decimals is None else own_decimals
        return own_decimals, needed is None or own_decimals is None or own_decimals < needed

    def _has_totals_of_present_parts(self, sample: Any) -> bool:
        """Whether rows that lack some parts have a total, and it is always that of the others."""
        parts = np.stack([read_form_counts(sample, form, None) for form in self.forms[:-1]])
        is_partial = np.isnan(parts).any(0) & ~np.isnan(parts).all(0)
        has_total = is_partial & ~np.isnan(read_form_counts(sample, self.forms[-1], None))
        marks = replace(self, skips_missing=True).mark_broken_rows(sample)
        return bool(has_total.any()) and not marks[has_total].any() and 2 * has_total.sum() > is_partial.sum()

    def _compute_totals(self, table: Any) -> np.ndarray:
        """float64 [n], NaN where missing, not yet rounded."""
        parts = np.stack([read_form_counts(table, form, None) for form in self.forms[:-1]])
        is_sum, is_missing = self.operation == "sum", np.isnan(parts)
        if self.skips_missing:
            is_all_missing = is_missing.all(0)
            parts = np.where(is_missing & ~is_all_missing, 0.0 if is_sum else 1.0, parts)
        return parts.sum(0) if is_sum else parts.prod(0)

    def _measure_errors(self, table: Any) -> np.ndarray:
        """How far the totals of a table are from what they should be: float64 [n], 0 where one is missing."""
        errors = np.abs(read_form_counts(table, self.forms[-1], None) - self._compute_totals(table))
        return np.where(np.isnan(errors), 0.0, errors)

    def _measure_rounding(self, columns: list[np.ndarray]) -> np.ndarray:
        """How far rounding may take the totals: float64 [n]. The columns are the parts, then the total."""
        sizes = np.abs(np.stack(columns))
        size = np.nansum(sizes, 0) if self.operation == "sum" else np.fmax(np.nanprod(sizes[:-1], 0), np.nan_to_num(sizes[-1]))
        shares = [get_same_share(parse_arrow_type(form.type)) for form in self.forms]
        return max(shares) * size + 1e-12

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        columns = [read_form_counts(table, form, None) for form in self.forms]
        allowed = self._measure_rounding(columns)
        if self.is_rounded and self.decimals is not None:
            allowed = allowed + 0.5 * 10.0**-self.decimals
        return self._measure_errors(table) > allowed

    def explain_break(self, row: Any) -> str:
        return f"{self.total} should be {self._compute_totals(row)[0]:.12g}, which is {self.describe().partition(' = ')[2]}"

    def reduce(self, table: Any) -> Any:
        return table.drop_columns([self.total])

    def restore(self, table: Any) -> Any:
        totals = self._compute_totals(table)
        if self.decimals is not None:
            totals = np.round(totals, self.decimals)
        values = import_arrow().array(totals + 0.0, from_pandas=True)
        return insert_columns(table, self.forms[-1:], [convert_from_numbers(values, parse_arrow_type(self.forms[-1].type))])
