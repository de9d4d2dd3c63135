"""What every rule of a table offers, whatever it says.

A rule lives in three steps. Settings name its columns. `fit_to` adds what the rule has to remember of the data. Then `reduce`
turns the table's own columns into those that the column codecs learn, and `restore` turns these back. Whatever numbers a
generator gives, the restored table keeps the rule. So a rule never looks at other rows than the one that it restores.

A rule may read a column that another one decides. It then reduces first and restores last (see `order_rules`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np

from ....configuration import config
from ....core import DECIMALS_KEY, FORMAT_KEY, ColumnKind
from ....errors import GanvasError
from ....system.arrow import import_arrow, parse_arrow_type


class RuleContext(NamedTuple):
    """What a rule may have to know when it is fitted."""

    k: int = 10  # a rule remembers no values that fewer rows hold
    most_categories: int = 256  # that a column keeps
    stored_names: Mapping[str, str] = {}  # of columns that earlier rules have replaced: the name of what is there instead
    shares_missing: frozenset[str] = frozenset()  # columns that have to be missing together with others


@runtime_checkable
class Rule(Protocol):
    """One rule of a table's rows. Frozen settings (@config)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule speaks of."""
        ...

    @property
    def decided_columns(self) -> tuple[str, ...]:
        """Those that it drops or replaces: `restore` gives their values. Only one rule may decide a column."""
        ...

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """The kinds of the columns that it adds, and kinds that columns must have for its sake."""
        ...

    @property
    def stored_names(self) -> Mapping[str, str]:
        """Columns that it replaces by one with the same missing values: the new name by the old one."""
        ...

    def describe(self) -> str:
        """What has to hold: "start <= end"."""
        ...

    def fit_to(self, sample: Any, context: RuleContext) -> Self:
        """The rule with what it remembers of a sample (pyarrow.Table). Raises GanvasError where it cannot be kept."""
        ...

    def mark_broken_rows(self, table: Any) -> np.ndarray:
        """Which rows of a table (pyarrow.Table, not reduced) break the fitted rule: bool [n]."""
        ...

    def explain_break(self, row: Any) -> str:
        """What is wrong with one such row (pyarrow.Table): "end is less than start"."""
        ...

    def reduce(self, table: Any) -> Any:
        """The table (pyarrow.Table) with the columns that are learnt instead of those that the rule decides."""
        ...

    def restore(self, table: Any) -> Any:
        """The reduced table with its own columns back, in their old places and types."""
        ...


class WholeRule:
    """The parts of Rule that most rules have in common."""

    @property
    def decided_columns(self) -> tuple[str, ...]:
        return ()

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        return {}

    @property
    def stored_names(self) -> Mapping[str, str]:
        return {}

    def reduce(self, table: Any) -> Any:
        return table

    def restore(self, table: Any) -> Any:
        return table


@config
class ColumnForm:
    """Where a column stands in its table, its type and how it is written."""

    name: str
    place: int
    type: str  # as Arrow prints it
    format: str = ""  # of dates, as strftime says it
    decimals: int = 0  # that its numbers always have as texts

    @property
    def field(self) -> Any:
        """The field (pyarrow.Field)."""
        metadata = {FORMAT_KEY: self.format.encode()} if self.format else {}
        metadata |= {DECIMALS_KEY: str(self.decimals).encode()} if self.decimals else {}
        return import_arrow().field(self.name, parse_arrow_type(self.type), metadata=metadata)


def read_forms(sample: Any, names: Iterable[str]) -> tuple[ColumnForm, ...]:
    """The forms of these columns of a table (pyarrow.Table)."""

    def read_form(name: str) -> ColumnForm:
        field = sample.schema.field(name)
        metadata = field.metadata or {}
        return ColumnForm(
            name=name,
            place=sample.schema.get_field_index(name),
            type=str(field.type),
            format=metadata.get(FORMAT_KEY, b"").decode(),
            decimals=int(metadata.get(DECIMALS_KEY, b"0")),
        )

    return tuple(map(read_form, names))


def take_column(table: Any, form: ColumnForm) -> Any:
    """A column of a table (pyarrow array) in its type; numbers as they are. Raises GanvasError for another type."""
    arrow, types, kind = import_arrow(), import_arrow("pyarrow.types"), parse_arrow_type(form.type)
    if form.name not in table.schema.names:
        raise GanvasError(f"lacks the column {form.name!r}, which the training data has: add it, empty if need be")
    values = table.column(form.name).combine_chunks()
    is_temporal = types.is_temporal(kind)
    try:
        return values if values.type == kind else values.cast(kind, safe=not is_temporal)
    except arrow.ArrowException as error:
        reason = f"column {form.name!r} has type {values.type}, not {form.type} as in the training data"
        raise GanvasError(f"{reason}: {str(error).partition(chr(10))[0][:120]}") from error


def insert_columns(table: Any, forms: Iterable[ColumnForm], arrays: Iterable[Any]) -> Any:
    """The table with these columns (pyarrow arrays) at their places, beside those that it has."""
    for form, values in sorted(zip(forms, arrays, strict=True), key=lambda pair: pair[0].place):
        table = table.add_column(form.place, form.field, values)
    return table


def name_stored_column(text: str, taken_names: Iterable[str]) -> str:
    """A name for a new column that no column of the table has."""
    names = set(taken_names)
    while text in names:
        text = f"({text})"
    return text


def write_cells(row: Any, names: Iterable[str]) -> str:
    """The cells of one row (pyarrow.Table) for people: "start = 3, end = missing"."""
    texts = {name: row.column(name).cast("string")[0].as_py() for name in names}
    return ", ".join(f"{name} = {'missing' if text is None else text}" for name, text in texts.items())


def join_words(words: Iterable[str], last: str = "and") -> str:
    """ "a, b and c" """
    *first_words, last_word = words
    return f"{', '.join(first_words)} {last} {last_word}" if first_words else last_word
