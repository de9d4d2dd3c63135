"""A column that no two rows share: it is a key, which is counted and not learnt."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ....configuration import config
from ....core import ColumnKind
from ....errors import GanvasError
from ....system.arrow import import_arrow
from .combinations import read_texts
from .rule import ColumnForm, RuleContext, WholeRule, read_forms


@config
class Unique(WholeRule):
    """Each row has a value of `column`, and no two rows have the same."""

    column: str
    forms: tuple[ColumnForm, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        return {self.column: "key"}

    def describe(self) -> str:
        return f"{self.column} is different in each row"

    def fit_to(self, sample: Any, context: RuleContext) -> "Unique":
        types, forms = import_arrow("pyarrow.types"), read_forms(sample, self.columns)
        kind = sample.schema.field(self.column).type
        if not (types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind)):
            raise GanvasError(f"column {self.column!r} has type {forms[0].type}: only texts and whole numbers can be keys")
        return replace(self, forms=forms)

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        """Rows without a value, and those whose value an earlier row of this table has."""
        texts = read_texts(table, self.forms[0])
        codes = texts.dictionary_encode().indices.to_numpy(zero_copy_only=False)
        codes = np.nan_to_num(codes.astype(np.float64), nan=-1.0)
        _, first_rows = np.unique(codes, return_index=True)
        marks = np.ones(len(codes), bool)
        marks[first_rows] = False
        return marks | (codes < 0)

    def explain_break(self, row: Any) -> str:
        return "it is missing" if row.column(self.column).null_count else "an earlier row has it too"
