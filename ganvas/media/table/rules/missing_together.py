"""Columns that are missing in the same rows: the first one decides for all."""

from dataclasses import replace
from typing import Any

import numpy as np

from ....configuration import config
from ....errors import GanvasError, require
from ....system.arrow import import_arrow
from ..columns import fit_category_column, fit_date_column, fit_number_column
from ..columns.column import drop_not_numbers
from .combinations import check_discrete, parse_values
from .numbers import is_date_type, is_number_type
from .rule import ColumnForm, RuleContext, WholeRule, join_words, read_forms, take_column


@config
class MissingTogether(WholeRule):
    """In each row, all columns are missing or none is.

    A generator learns this like all else. Where it errs, the first column decides: the others lose their values, or get
    their `typical_values`. Those are common ones, or lie in the middle. `stored_columns` are what other rules leave of them.
    """

    columns: tuple[str, ...]
    forms: tuple[ColumnForm, ...] = ()
    stored_columns: tuple[str, ...] = ()
    typical_values: tuple[str, ...] = ()  # of the stored columns, without the first

    def __post_init__(self) -> None:
        is_valid = len(set(self.columns)) == len(self.columns) >= 2
        require(is_valid, "columns", self.columns, "the names of two columns or more, each once")

    def describe(self) -> str:
        return f"{join_words(self.columns)} are missing in the same rows"

    def fit_to(self, sample: Any, context: RuleContext) -> "MissingTogether":
        stored_columns = tuple(context.stored_names.get(name, name) for name in self.columns)
        for name, stored_name in zip(self.columns, stored_columns, strict=True):
            if stored_name not in sample.schema.names:
                raise GanvasError(f"another rule decides {name!r}, and so where it is missing: leave it out of this one")
        forms = read_forms(sample, stored_columns)
        for form in forms:
            check_discrete(form)
        typical_values = tuple(_find_typical_value(sample, form, context) for form in forms[1:])
        return replace(self, forms=forms, stored_columns=stored_columns, typical_values=typical_values)

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        masks = [_mark_missing(table.column(name)) for name in self.columns]
        return np.any([mask != masks[0] for mask in masks[1:]], axis=0)

    def explain_break(self, row: Any) -> str:
        missing = [name for name in self.columns if _mark_missing(row.column(name))[0]]
        return f"only {join_words(missing)} {'is' if len(missing) == 1 else 'are'} missing"

    def restore(self, table: Any) -> Any:
        arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
        is_missing = arrow.array(_mark_missing(table.column(self.stored_columns[0])))
        for form, text in zip(self.forms[1:], self.typical_values, strict=True):
            place, typical_value = table.schema.get_field_index(form.name), parse_values([text], form)[0]
            values = compute.fill_null(drop_not_numbers(take_column(table, form)), typical_value)
            values = compute.if_else(is_missing, arrow.scalar(None, values.type), values)
            table = table.set_column(place, table.schema.field(place), values)
        return table


def _mark_missing(values: Any) -> np.ndarray:
    """Which values (pyarrow array) are missing, or no finite numbers: bool [n]."""
    values = values.combine_chunks() if hasattr(values, "combine_chunks") else values
    return drop_not_numbers(values).is_null().to_numpy(zero_copy_only=False)


def _find_typical_value(sample: Any, form: ColumnForm, context: RuleContext) -> str:
    """The commonest text, or the number or date in the middle, as text. It is one that the column's codec keeps."""
    values = drop_not_numbers(take_column(sample, form)).drop_null()
    if is_date_type(values.type):
        column = fit_date_column(form.name, values, context.k)
    elif is_number_type(values.type):
        column = fit_number_column(form.name, values, context.k)
    else:
        column = fit_category_column(form.name, values, context.k, 1)[0]
    if column is None:
        raise GanvasError(f"no value of {form.name!r} is held by {context.k} rows: leave it out of the rule")
    layout = column.lay_out()
    order = np.argsort(layout.values)  # of categories, all are NaN: the first code is the only value
    shares = np.cumsum(layout.weights[order])
    code = order[np.searchsorted(shares, shares[-1] / 2)] if not np.isnan(layout.values).any() else 0
    middle = column.decode(np.array([code]), np.array([0.5]), np.array([0]))
    return middle[0].cast("string").as_py()
