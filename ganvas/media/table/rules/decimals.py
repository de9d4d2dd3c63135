"""A column whose numbers have at most so many decimals. Column codecs keep them; this rule checks that other rules do too."""

from dataclasses import replace
from typing import Any

import numpy as np

from ....configuration import config
from ....errors import GanvasError, require
from ....system.arrow import import_arrow, parse_arrow_type
from ..columns.number import MAX_DECIMALS, convert_to_numbers
from .numbers import is_number_type, read_form_counts
from .rule import ColumnForm, RuleContext, WholeRule, read_forms


@config
class Decimals(WholeRule):
    """The numbers of `column` have at most so many decimals; 0: they are whole."""

    column: str
    decimals: int = 0
    forms: tuple[ColumnForm, ...] = ()

    def __post_init__(self) -> None:
        require(0 <= self.decimals <= MAX_DECIMALS, "decimals", self.decimals, f"0 to {MAX_DECIMALS}")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def describe(self) -> str:
        return f"{self.column} has at most {self.decimals} decimals" if self.decimals else f"{self.column} is whole"

    def fit_to(self, sample: Any, context: RuleContext) -> "Decimals":
        forms = read_forms(sample, self.columns)
        if not is_number_type(parse_arrow_type(forms[0].type)):
            raise GanvasError(f"column {self.column!r} has type {forms[0].type}: only numbers have decimals")
        return replace(self, forms=forms)

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        arrow, kind = import_arrow(), parse_arrow_type(self.forms[0].type)
        numbers = read_form_counts(table, self.forms[0], None)
        rounded = arrow.array(np.round(numbers, self.decimals), from_pandas=True).cast(kind, safe=False)
        return (convert_to_numbers(rounded) != numbers) & ~np.isnan(numbers)

    def explain_break(self, row: Any) -> str:
        return f"that is not {read_form_counts(row, self.forms[0], None)[0]:.{self.decimals}f}"
