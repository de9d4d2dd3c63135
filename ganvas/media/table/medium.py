"""The medium of tables: chooses a codec for each column."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ...configuration import config
from ...core import DECIMALS_KEY, FORMAT_KEY, ColumnKind, Items, TableItems
from ...errors import GanvasError, require
from .codec import TableCodec
from .columns import (
    CategoryColumn,
    CategoryCount,
    ColumnCodec,
    build_empty_column,
    fit_category_column,
    fit_constant_column,
    fit_date_column,
    fit_key_column,
    fit_number_column,
)
from .probing import check_rules
from .rules import Dependence, Rule, RuleContext, drop_broken_rules, find_rules, fit_rules
from .rules.learnt_columns import LearntColumn, list_learnt_columns

MAX_CATEGORIES = 10_000
MAX_TARGET_CATEGORIES = 10
DEPENDENT_KINDS = ("category", "integer", "number")
MAX_OFFERS = 3
MAX_EXAMPLES = 3  # columns that a message describes
MAX_REASONS = 60  # columns of which `fit_with_reasons` says something


@config
class Table:
    """Rows of a table.

    k: a value that fewer rows hold becomes part of an interval or of "other"; 1 keeps all values, and so people's own.
    most_categories: a column keeps at most so many of its values; the rest is "other".
    known_share: the share of training rows in which some cells are known. G learns from them to complete rows. 0: it does not.
    target: the column that others are to predict, for scores. Empty: the last one with few categories, or else the last one.
    kinds: columns that are something else than they seem: {"zip": "category", "note": "text"}. "text" is not learnt.
    rules: what holds in each row. Data that breaks one is refused; rows that are generated never do.
    dependences: without rules, find columns that follow from a category in all rows, and compute them from it.
    """

    k: int = 10
    most_categories: int = 256
    known_share: float = 0.5
    target: str = ""
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict[str, ColumnKind])
    rules: tuple[Rule, ...] = ()
    dependences: bool = True

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", self.k, "1 or more")
        require(0 <= self.known_share <= 1, "known_share", self.known_share, "from 0 to 1")
        require(
            1 <= self.most_categories <= MAX_CATEGORIES, "most_categories", self.most_categories, f"1 to {MAX_CATEGORIES:,}"
        )

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ()  # a sample is a row, not a file

    def fit(self, items: Items) -> TableCodec:
        """The codec. Raises GanvasError for items that are no rows, fewer than 2k rows, no column to learn, or broken rules."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[TableCodec, list[str]]:
        """`fit`, and a sentence for each rule and each column."""
        if not isinstance(items, TableItems):
            raise GanvasError(f"{items.title} is no table: give a .csv, .tsv, .parquet, .feather or .jsonl file")
        if len(items.sample) < 2 * self.k:
            raise GanvasError(
                f"{items.title} has too few rows: at least {2 * self.k} are needed to merge the values of fewer than {self.k}. "
                "Give more rows, or a smaller k if they are nobody's data"
            )
        self._check_kinds(items)
        found_rules, offers = self.find_dependences(items) if self.dependences and not self.rules else ((), [])
        rules, sample = fit_rules(
            self.rules or found_rules, items, RuleContext(k=self.k, most_categories=self.most_categories), self.kinds
        )
        learnt_columns = list_learnt_columns(items.surveys, self.kinds, rules, sample)
        pairs = [self._fit_column(column, sample) for column in learnt_columns]
        columns = tuple(column for column, _ in pairs)
        if not any(column.fields for column in columns):
            examples = ". ".join(reason for _, reason in pairs[:MAX_EXAMPLES])
            raise GanvasError(
                f"{items.title} has no column to learn: all are keys, constants or texts. {examples}. If one is "
                "something else, set its `kinds`"
            )
        target = self.target or choose_target(columns)
        codec = TableCodec(columns=columns, k=self.k, rules=rules, target=target, known_share=self.known_share)
        if rules:
            check_rules(codec)
        sentences = [*(f"rule: {rule.describe()}" for rule in rules), *(reason for _, reason in pairs)]
        more = [f"and {len(sentences) - MAX_REASONS:,} more columns"] if len(sentences) > MAX_REASONS else []
        more += offers
        if target:
            more.append(f"scores ask how well the other columns predict {target}")
        return codec, [*sentences[:MAX_REASONS], *more]

    def find_dependences(self, items: TableItems) -> tuple[tuple[Rule, ...], list[str]]:
        """(Rules by which a column follows from another one in all rows, and a sentence if there may be others)."""
        kinds: dict[str, ColumnKind] = {survey.name: self.kinds.get(survey.name, survey.kind) for survey in items.surveys}
        found = find_rules(items.sample, self.k, kinds)
        chosen = [rule for rule in found if isinstance(rule, Dependence) and _follows_from_category(rule, kinds)]
        rules, _ = drop_broken_rules(chosen, items, RuleContext(k=self.k, most_categories=self.most_categories))
        others = [rule.describe() for rule in found if rule not in chosen]
        offers = [
            f"also holds in all rows: {'; '.join(others[:MAX_OFFERS])}. `ganvas rules` writes a file of rules to choose from"
        ]
        return rules, offers if others else []

    def _check_kinds(self, items: TableItems) -> None:
        names = [survey.name for survey in items.surveys]
        require(not self.target or self.target in names, "target", self.target, f"one of {', '.join(names[:12])}")
        for name in self.kinds:
            require(name in names, "kinds", name, f"names of columns of {items.title}: {', '.join(names[:12])}")

    def _fit_column(self, learnt: LearntColumn, sample: Any) -> tuple[ColumnCodec, str]:
        """A column's codec, and a sentence for people."""
        values = sample.column(learnt.name).combine_chunks()
        metadata = sample.schema.field(learnt.name).metadata or {}
        column, rest = self.fit_column(learnt.name, learnt.kind, values, metadata)
        notes = list[str]()
        if rest.values and column is not None:
            notes.append(f"the rest are {rest.values:,} of its values, held by {rest.rows:,} rows")
        if column is None:
            notes.append(f"no value is held by {self.k} rows: it is not learnt, and stays empty")
            column = build_empty_column(learnt.name, values.type)
        return column, "; ".join([learnt.sentence, *notes])

    def fit_column(
        self, name: str, kind: ColumnKind, values: Any, metadata: Mapping[bytes, bytes]
    ) -> tuple[ColumnCodec | None, CategoryCount]:
        """The codec of a column of this kind (pyarrow array), None if it keeps no value; and what it merged."""
        none_merged = CategoryCount(0, 0)
        match kind:
            case "category":
                return fit_category_column(name, values, self.k, self.most_categories)
            case "number" | "integer":
                return fit_number_column(name, values, self.k, int(metadata.get(DECIMALS_KEY, b"0"))), none_merged
            case "date":
                return fit_date_column(name, values, self.k, metadata.get(FORMAT_KEY, b"").decode()), none_merged
            case "key":
                return fit_key_column(name, values), none_merged
            case "constant":
                return fit_constant_column(name, values), none_merged
            case "text":
                return build_empty_column(name, values.type), none_merged


def _follows_from_category(rule: Dependence, kinds: Mapping[str, ColumnKind]) -> bool:
    return kinds[rule.child] in DEPENDENT_KINDS and all(kinds[name] == "category" for name in rule.parents)


def choose_target(columns: tuple[ColumnCodec, ...]) -> str:
    """The last column with few categories, which is usually what a table is about; else the last one that is learnt."""
    learnt = [column for column in columns if column.fields]
    few = [c.name for c in learnt if isinstance(c, CategoryColumn) and len(c.values) <= MAX_TARGET_CATEGORIES]
    return "" if len(learnt) < 2 else few[-1] if few else learnt[-1].name
