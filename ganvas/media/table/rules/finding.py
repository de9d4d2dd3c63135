"""Rules that hold in all rows of a table and hardly by chance, to be offered to people."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ....core import ColumnKind
from ....errors import GanvasError
from ....system.arrow import import_arrow
from .at_most import AtMost
from .candidates import CandidateColumns
from .found_dependences import find_dependences
from .found_orders import find_orders
from .found_totals import find_totals
from .missing_together import MissingTogether
from .ordering import order_rules
from .rule import Rule, RuleContext

MAX_COLUMNS, MAX_RULES = 200, 100  # that are looked at; pairs of more take minutes, and nobody reads so many rules
LOOKED_AT_ROWS = 4096  # in which a rule has to hold before all rows are looked at


def find_rules(sample: Any, k: int = 10, kinds: Mapping[str, ColumnKind] | None = None) -> list[Rule]:
    """Rules that hold in each row of a table (pyarrow.Table): dependences, totals, orders, missing values.

    kinds: what each column is, if that is known. Keys and free texts follow no rule.
    The rules do not contradict each other. A rule that would hold in most tables with the same columns is left out.
    Of a very wide table it looks at the first MAX_COLUMNS columns; it finds MAX_RULES rules at most.
    """
    sample = sample.select(sample.schema.names[:MAX_COLUMNS])
    columns = CandidateColumns(sample, _draw_rows(len(sample)), k, kinds or {})
    finders: tuple[Callable[[CandidateColumns], Iterable[Rule]], ...] = (
        find_dependences, find_totals, find_orders, find_missing_together,
    )  # fmt: skip
    rules = list[Rule]()
    for find in finders:
        for rule in find(columns):
            if len(rules) == MAX_RULES:
                return rules
            if _fits_beside(rule, rules) and _holds(rule, columns):
                rules.append(rule)
    return rules


def _draw_rows(count: int) -> np.ndarray:
    """The numbers of the rows that are looked at first: int64, rising."""
    if count <= LOOKED_AT_ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, LOOKED_AT_ROWS, replace=False))


def _holds(rule: Rule, columns: CandidateColumns) -> bool:
    """Whether a rule can be fitted, and no row breaks it."""
    try:
        return not rule.fit_to(columns.table, RuleContext(k=columns.k)).mark_broken_rows(columns.table).any()
    except GanvasError:
        return False


def _fits_beside(rule: Rule, rules: list[Rule]) -> bool:
    """Whether a rule contradicts none of the others."""
    computed_columns = {name for other in rules if not isinstance(other, AtMost) for name in other.decided_columns}
    if isinstance(rule, MissingTogether) and computed_columns & set(rule.columns):
        return False
    try:
        order_rules([*rules, rule])
    except GanvasError:
        return False
    return True


def find_missing_together(columns: CandidateColumns) -> list[Rule]:
    """Columns that are missing in exactly the same rows, k of them or more."""
    compute = import_arrow("pyarrow.compute")
    groups = dict[bytes, list[str]]()
    for name in columns.names:
        missing_count = columns.count_missing(name)
        if columns.k <= missing_count <= len(columns.table) - columns.k:
            mask = compute.is_null(columns.table.column(name), nan_is_null=True).to_numpy()
            groups.setdefault(np.packbits(mask).tobytes(), []).append(name)
    return [MissingTogether(columns=tuple(names)) for names in groups.values() if len(names) > 1]
