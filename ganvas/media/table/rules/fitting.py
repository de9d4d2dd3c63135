"""Fit a table's rules: order them, find the rows that break them, and reduce the sample that columns are fitted to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from ....core import ColumnKind, TableItems
from ....errors import GanvasError
from ....system.arrow import import_arrow
from .missing_together import MissingTogether
from .ordering import order_rules
from .rule import Rule, RuleContext, write_cells
from .unique import Unique

NAMED_ROWS = 3  # of those that break a rule
UNLEARNT_KINDS: Mapping[ColumnKind, str] = {"text": "free text", "key": "a key"}


class Breaks(NamedTuple):
    """How many rows break a rule, and a clause for each of the first of them."""

    row_count: int
    clauses: tuple[str, ...]


def fit_rules(
    rules: Sequence[Rule], items: TableItems, context: RuleContext, kinds: Mapping[str, ColumnKind] | None = None
) -> tuple[tuple[Rule, ...], Any]:
    """The rules in order with what they remember of the items' sample, and the reduced sample (pyarrow.Table).

    `kinds` are those that people set, of columns that are something else than they seem.

    Raises:
        GanvasError: rules that contradict each other, name columns that cannot follow rules, or are broken by rows.
    """
    if not rules:
        return (), items.sample
    rules = order_rules(rules)
    check_rule_columns(rules, items, kinds or {})
    together = [name for rule in rules if isinstance(rule, MissingTogether) for name in rule.columns]
    fitted_rules, sample = list[Rule](), items.sample
    for rule in rules:
        names = {old: new for fitted in fitted_rules for old, new in fitted.stored_names.items()}
        fitted_rules.append(_fit_rule(rule, sample, context._replace(stored_names=names, shares_missing=frozenset(together))))
        sample = fitted_rules[-1].reduce(sample)
    for rule, breaks in zip(fitted_rules, find_breaks(fitted_rules, items), strict=True):
        if breaks.row_count:
            raise GanvasError(f"{items.title}: {describe_breaks(rule, breaks)}. Correct these rows, or leave the rule out")
    return tuple(fitted_rules), sample


def _fit_rule(rule: Rule, sample: Any, context: RuleContext) -> Rule:
    try:
        return rule.fit_to(sample, context)
    except GanvasError as error:
        raise GanvasError(f'rule "{rule.describe()}": {error}') from error


def check_rule_columns(rules: Iterable[Rule], items: TableItems, set_kinds: Mapping[str, ColumnKind]) -> None:
    """Raise GanvasError for a rule of a column that does not exist, or that is not learnt."""
    kinds: dict[str, ColumnKind] = {survey.name: set_kinds.get(survey.name, survey.kind) for survey in items.surveys}
    for rule in rules:
        for name in rule.columns:
            if name not in kinds:
                near = get_close_matches(name, kinds, 1) or list(kinds)[:12]
                raise GanvasError(f'rule "{rule.describe()}": {items.title} has no column {name!r}; it has {", ".join(near)}')
            if kinds[name] in UNLEARNT_KINDS and not isinstance(rule, Unique):
                reason = f"column {name!r} is {UNLEARNT_KINDS[kinds[name]]}, which is not learnt"
                raise GanvasError(f'rule "{rule.describe()}": {reason}: leave it out, or set its kind')


def find_breaks(rules: Sequence[Rule], items: TableItems) -> list[Breaks]:
    """For each fitted rule the rows that break it, out of all rows of the table.

    A table that is larger than its sample is looked at block by block. Rules that compare rows with each other then
    compare those of one block, or with what the rule remembers.
    """
    counts, clauses = [0] * len(rules), [list[str]() for _ in rules]
    for start, table in _read_tables(items):
        for k, rule in enumerate(rules):
            rows = np.flatnonzero(rule.mark_broken_rows(table))
            counts[k] += len(rows)
            clauses[k] += [_describe_row(rule, table, i, start) for i in rows[: NAMED_ROWS - len(clauses[k])]]
    return [Breaks(count, tuple(texts)) for count, texts in zip(counts, clauses, strict=True)]


def _read_tables(items: TableItems) -> Iterator[tuple[int, Any]]:
    """Parts of the items (pyarrow.Table) with the numbers of their first rows: all at once, if they are in memory."""
    if len(items.sample) == len(items):
        yield 0, items.sample
        return
    start = 0
    for block in items.read_blocks():
        yield start, import_arrow().Table.from_batches([block])
        start += block.num_rows


def _describe_row(rule: Rule, table: Any, index: int, start: int) -> str:
    row = table.slice(index, 1)
    return f"row {start + index + 1:,} has {write_cells(row, rule.columns)} ({rule.explain_break(row)})"


def describe_breaks(rule: Rule, breaks: Breaks) -> str:
    """A sentence that names the rule and the first rows that break it."""
    rows = f"{breaks.row_count:,} rows break" if breaks.row_count > 1 else "1 row breaks"
    return f'{rows} the rule "{rule.describe()}": {"; ".join(breaks.clauses)}'


def drop_broken_rules(rules: Iterable[Rule], items: TableItems, context: RuleContext) -> tuple[tuple[Rule, ...], list[str]]:
    """Rules that were only found: those that hold in all rows, and a sentence for each of the others."""
    kept_rules, sentences = list[Rule](), list[str]()
    for rule in rules:
        try:
            check_rule_columns([rule], items, {})
            fitted_rule = _fit_rule(rule, items.sample, context)
            order_rules([*kept_rules, rule])
        except GanvasError as error:
            sentences.append(f"not kept: {error}")
            continue
        breaks = find_breaks([fitted_rule], items)[0]
        if breaks.row_count:
            sentences.append(f"not kept: {describe_breaks(rule, breaks)}")
        else:
            kept_rules.append(rule)
    return tuple(kept_rules), sentences
