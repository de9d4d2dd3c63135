"""The medium of tables: chooses a codec for each column."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ...configuration import config
from ...core import DECIMALS_KEY, FORMAT_KEY, ColumnKind, ColumnSurvey, Items, TableItems
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

MAX_CATEGORIES = 10_000
MAX_TARGET_CATEGORIES = 10
MAX_REASONS = 60  # columns of which `fit_with_reasons` says something


@config
class Table:
    """Rows of a table.

    k: a value that fewer rows hold becomes part of an interval or of "other"; 1 keeps all values, and so people's own.
    most_categories: a column keeps at most so many of its values; the rest is "other".
    known_share: the share of training rows in which some cells are known. G learns from them to complete rows. 0: it does not.
    target: the column that others are to predict, for scores. Empty: the last one with few categories, or else the last one.
    kinds: columns that are something else than they seem: {"zip": "category", "note": "text"}. "text" is not learnt.
    """

    k: int = 10
    most_categories: int = 256
    known_share: float = 0.5
    target: str = ""
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict[str, ColumnKind])

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
        """The codec. Raises GanvasError for items that are no rows, fewer than 2k rows, or no column to learn."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[TableCodec, list[str]]:
        """`fit`, and a sentence for each column."""
        if not isinstance(items, TableItems):
            raise GanvasError(f"{items.title} is no table: give a .csv, .tsv, .parquet, .feather or .jsonl file")
        if len(items.sample) < 2 * self.k:
            raise GanvasError(
                f"{items.title} has too few rows: at least {2 * self.k} are needed to merge the values of fewer than {self.k}. "
                "Give more rows, or a smaller k if they are nobody's data"
            )
        self._check_kinds(items)
        pairs = [self._fit_column(survey, items) for survey in items.surveys]
        columns = tuple(column for column, _ in pairs)
        if not any(column.fields for column in columns):
            raise GanvasError(f"{items.title} has no column to learn: all are keys, constants or free texts. Set their `kinds`")
        reasons = [reason for _, reason in pairs[:MAX_REASONS]]
        more = [f"and {len(pairs) - MAX_REASONS:,} more columns"] if len(pairs) > MAX_REASONS else []
        target = self.target or choose_target(columns)
        if target:
            more.append(f"scores ask how well the other columns predict {target}")
        return TableCodec(columns=columns, k=self.k, target=target, known_share=self.known_share), [*reasons, *more]

    def _check_kinds(self, items: TableItems) -> None:
        names = [survey.name for survey in items.surveys]
        require(not self.target or self.target in names, "target", self.target, f"one of {', '.join(names[:12])}")
        for name in self.kinds:
            require(name in names, "kinds", name, f"names of columns of {items.title}: {', '.join(names[:12])}")

    def _fit_column(self, survey: ColumnSurvey, items: TableItems) -> tuple[ColumnCodec, str]:
        """A column's codec, and a sentence for people."""
        kind = self.kinds.get(survey.name, survey.kind)
        values = items.sample.column(survey.name).combine_chunks()
        changed_kind = [f"taken as {kind}, as you asked"] if kind != survey.kind else []
        column, rest = self.fit_column(survey.name, kind, values, items.sample.schema.field(survey.name).metadata or {})
        if rest.values and column is not None:
            changed_kind.append(f"the rest are {rest.values:,} of its values, held by {rest.rows:,} rows")
        if column is None:
            changed_kind.append(f"no value is held by {self.k} rows: it is not learnt, and stays empty")
            column = build_empty_column(survey.name, values.type)
        return column, "; ".join([survey.sentence, *changed_kind])

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


def choose_target(columns: tuple[ColumnCodec, ...]) -> str:
    """The last column with few categories, which is usually what a table is about; else the last one that is learnt."""
    learnt = [column for column in columns if column.fields]
    few = [c.name for c in learnt if isinstance(c, CategoryColumn) and len(c.values) <= MAX_TARGET_CATEGORIES]
    return "" if len(learnt) < 2 else few[-1] if few else learnt[-1].name
