"""A column that follows from others: its value is looked up, not learnt."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ....configuration import config
from ....core import ColumnKind
from ....errors import GanvasError, require
from ....system.arrow import import_arrow
from .combinations import Combination, check_discrete, count_combinations, find_combinations, parse_values, read_texts
from .rule import ColumnForm, RuleContext, WholeRule, insert_columns, join_words, read_forms, write_cells

MAX_PARENTS = 10_000  # combinations of the parents' values whose child is kept


@config
class Dependence(WholeRule):
    """The values of `parents` decide that of `child`: rows that are alike in the former are so in the latter.

    `fit_to` finds the child of each combination of parents that k rows hold. All others have the child `rest`: the commonest
    among them, if k rows hold it, or missing. So the parents are learnt as categories.
    """

    parents: tuple[str, ...]
    child: str
    forms: tuple[ColumnForm, ...] = ()  # of the parents, then of the child
    keys: tuple[Combination, ...] = ()
    children: tuple[str | None, ...] = ()  # one for each key
    rest: str | None = None

    def __post_init__(self) -> None:
        require(len(set(self.parents)) == len(self.parents) > 0, "parents", self.parents, "the names of columns, each once")
        require(self.child not in self.parents, "child", self.child, "another column than its parents")

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.parents, self.child)

    @property
    def decided_columns(self) -> tuple[str, ...]:
        return (self.child,)

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        return dict.fromkeys(self.parents, "category")

    def describe(self) -> str:
        return f"{join_words(self.parents)} {'decide' if len(self.parents) > 1 else 'decides'} {self.child}"

    def fit_to(self, sample: Any, context: RuleContext) -> "Dependence":
        forms = read_forms(sample, self.columns)
        for form in forms:
            check_discrete(form)
        counts = count_combinations([read_texts(sample, form) for form in forms])
        children_of = dict[Combination, tuple[str | None, int]]()
        for (*parents, child), count in counts:  # the commonest child of each comes first
            children_of.setdefault(tuple(parents), (child, count))
        keys = [key for key, (_, count) in children_of.items() if count >= context.k][:MAX_PARENTS]
        if not keys:
            raise GanvasError(f"no value of {join_words(self.parents)} is held by {context.k} rows with one {self.child}")
        children = tuple(children_of[key][0] for key in keys)
        return replace(self, forms=forms, keys=tuple(keys), children=children, rest=_find_rest(counts, set(keys), context.k))

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        """Rows whose child is another than known; of parents that are not known, another than that of most such rows."""
        texts = [read_texts(table, form) for form in self.forms]
        counts = count_combinations(texts)
        expected_children = dict(zip(self.keys, self.children, strict=True))
        for (*parents, child), _ in counts:
            expected_children.setdefault(tuple(parents), child)
        broken_combinations = [c for c, _ in counts if expected_children[c[:-1]] != c[-1]]
        if not broken_combinations:
            return np.zeros(table.num_rows, bool)
        return find_combinations(texts, tuple(broken_combinations)) >= 0

    def explain_break(self, row: Any) -> str:
        return f"other rows with {write_cells(row, self.parents)} have another {self.child}"

    def reduce(self, table: Any) -> Any:
        return table.drop_columns([self.child])

    def restore(self, table: Any) -> Any:
        indices = find_combinations([read_texts(table, form) for form in self.forms[:-1]], self.keys)
        indices = np.where(indices < 0, len(self.keys), indices)
        children = parse_values([*self.children, self.rest], self.forms[-1])
        return insert_columns(table, self.forms[-1:], [children.take(import_arrow().array(indices))])


def _find_rest(counts: list[tuple[Combination, int]], keys: set[Combination], k: int) -> str | None:
    """The commonest child of the rows whose parents are no key; None if fewer than k of them hold it."""
    rest_counts = dict[str | None, int]()
    for (*parents, child), count in counts:
        if tuple(parents) not in keys:
            rest_counts[child] = rest_counts.get(child, 0) + count
    child = max(rest_counts, key=lambda c: rest_counts[c], default=None)
    return child if child is not None and rest_counts[child] >= k else None
