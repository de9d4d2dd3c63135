"""Columns of which only the combinations that the data holds may occur: they are learnt as one category."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ....configuration import config
from ....core import ColumnKind
from ....errors import GanvasError, require
from ....system.arrow import import_arrow
from .combinations import (
    Combination,
    check_discrete,
    count_combinations,
    find_combinations,
    match_combinations,
    parse_values,
    read_texts,
)
from .rule import ColumnForm, RuleContext, WholeRule, insert_columns, join_words, name_stored_column, read_forms


@config
class FixedCombinations(WholeRule):
    """Each row holds one of `combinations`: those that k rows of the data hold. `fit_to` finds them, the commonest first.

    A row with another combination counts as the one that it shares most values with.
    """

    columns: tuple[str, ...]
    stored_name: str = ""
    forms: tuple[ColumnForm, ...] = ()
    combinations: tuple[Combination, ...] = ()

    def __post_init__(self) -> None:
        is_valid = len(set(self.columns)) == len(self.columns) >= 2
        require(is_valid, "columns", self.columns, "the names of two columns or more, each once")

    @property
    def decided_columns(self) -> tuple[str, ...]:
        return self.columns

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        return {self.stored_name: "category"} if self.stored_name else {}

    def describe(self) -> str:
        count = f": {len(self.combinations):,} are known" if self.combinations else ""
        return f"only combinations of {join_words(self.columns)} that the data holds{count}"

    def fit_to(self, sample: Any, context: RuleContext) -> "FixedCombinations":
        forms = read_forms(sample, self.columns)
        for form in forms:
            check_discrete(form)
        counts = count_combinations([read_texts(sample, form) for form in forms])
        combinations = tuple(c for c, count in counts[: context.most_categories] if count >= context.k)
        if not combinations:
            names = join_words(self.columns)
            raise GanvasError(f"no combination of {names} is held by {context.k} rows: name fewer columns")
        name = name_stored_column(" & ".join(self.columns), sample.schema.names)
        return replace(self, stored_name=name, forms=forms, combinations=combinations)

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        """None: a combination of the data that too few rows hold is no mistake. It only is not learnt."""
        return np.zeros(table.num_rows, bool)

    def explain_break(self, row: Any) -> str:
        return "this combination is not known"

    def reduce(self, table: Any) -> Any:
        arrow = import_arrow()
        texts = [read_texts(table, form) for form in self.forms]
        indices = find_combinations(texts, self.combinations)
        is_unknown = indices < 0
        if is_unknown.any():
            unknown_texts = [column.filter(arrow.array(is_unknown)) for column in texts]
            indices[is_unknown] = match_combinations(unknown_texts, self.combinations)
        table = table.drop_columns(list(self.columns))
        return table.append_column(self.stored_name, arrow.array(indices).cast(arrow.string()))

    def restore(self, table: Any) -> Any:
        arrow = import_arrow()
        indices = table.column(self.stored_name).combine_chunks().cast(arrow.int64())
        values = [
            parse_values(texts, form) for texts, form in zip(zip(*self.combinations, strict=True), self.forms, strict=True)
        ]
        table = table.drop_columns([self.stored_name])
        return insert_columns(table, self.forms, [column.take(indices) for column in values])
