"""Singling out: a description that fits exactly one synthetic row may fit exactly one real person.

Article 29 Working Party, opinion 05/2014; the attack is that of Anonymeter (Giomi et al. 2023, section 4.2).
"""

from typing import Literal, NamedTuple

import numpy as np

from ...core import PlainTable
from ...errors import GanvasError
from .membership_by_distance import MAX_SYNTHETIC
from .rates import AttackResult, Rate, balance_targets

ATTEMPTS = 1_000
TRIES_PER_ATTEMPT = 10  # most descriptions of several columns fit several synthetic rows, or one that was described already


class Clause(NamedTuple):
    """What a description says of one column. NaN, compared by "==", is a missing number."""

    column: int
    sign: Literal["==", "<=", ">="]
    value: float | int


Description = tuple[Clause, ...]


def attack_by_singling_out(
    train: PlainTable,
    held_out: PlainTable,
    synthetic: PlainTable,
    columns: int = 4,
    attempts: int = ATTEMPTS,
    seed: int = 0,
) -> AttackResult:
    """Describe synthetic rows, and count descriptions that fit exactly one real row.

    Members are as many rows as were held out: a description that fits one of few fits several of many.

    Args:
        columns: how many columns a description names. 1: values that only one synthetic row has, and the outermost ones;
            more: a random row's categories, and "at least" or "at most" of its numbers.
        attempts: the most descriptions to try.

    Raises:
        GanvasError: other columns, too few rows, or a number out of range.
    """
    if columns < 1 or attempts < 1:
        raise GanvasError(f"singling out needs 1 column and 1 attempt or more, got {columns} and {attempts}")
    rng = np.random.default_rng(seed)
    members, others = balance_targets(train, held_out, synthetic, max(len(train), len(held_out)), rng)
    synthetic = synthetic.draw(MAX_SYNTHETIC, rng)
    if columns == 1:
        descriptions = describe_by_one_column(synthetic, attempts, rng)
    else:
        descriptions = describe_by_columns(synthetic, min(columns, len(train.names)), attempts, rng)
    rates = [Rate(_count_single_rows(rows, descriptions), len(descriptions)) for rows in (members, others)]
    return AttackResult(f"singling out by {'one column' if columns == 1 else f'{columns} columns'}", *rates)


def describe_by_one_column(table: PlainTable, attempts: int, rng: np.random.Generator) -> list[Description]:
    """Values that exactly one row has, and those beyond which no row lies; a random part of them if there are many."""
    clauses = list[Clause]()
    for c, (kind, values) in enumerate(zip(table.kinds, table.values, strict=True)):
        unique, counts = np.unique(values, return_counts=True)  # NaN are one value
        clauses += [Clause(c, "==", value) for value in unique[counts == 1].tolist()]
        if kind == "number" and not np.isnan(values).all():
            clauses += [Clause(c, "<=", float(np.nanmin(values))), Clause(c, ">=", float(np.nanmax(values)))]
    chosen = rng.permutation(len(clauses))[:attempts]
    return [(clauses[k],) for k in chosen]


def describe_by_columns(table: PlainTable, columns: int, attempts: int, rng: np.random.Generator) -> list[Description]:
    """Descriptions by this many random columns, each of which fits exactly one row; at most one of each row."""
    medians = [_find_median(kind, values) for kind, values in zip(table.kinds, table.values, strict=True)]
    descriptions: dict[int, Description] = {}
    for _ in range(attempts * TRIES_PER_ATTEMPT):
        row = int(rng.integers(len(table)))
        chosen = rng.choice(len(table.names), columns, replace=False)
        description = tuple(_describe_cell(table, row, int(c), medians[c]) for c in chosen)
        if row not in descriptions and find_fitting_rows(table, description).sum() == 1:
            descriptions[row] = description
        if len(descriptions) == attempts:
            break
    return [*descriptions.values()]


def find_fitting_rows(table: PlainTable, description: Description) -> np.ndarray:
    """Which rows a description fits, bool [N]."""
    fits = np.ones(len(table), bool)
    for column, sign, value in description:
        values = table.values[column]
        if sign == "==":
            fits &= np.isnan(values) if value != value else values == value
        else:
            fits &= values <= value if sign == "<=" else values >= value
    return fits


def _count_single_rows(table: PlainTable, descriptions: list[Description]) -> int:
    return sum(int(find_fitting_rows(table, description).sum() == 1) for description in descriptions)


def _find_median(kind: str, values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if kind == "number" and not np.isnan(values).all() else 0.0


def _describe_cell(table: PlainTable, row: int, column: int, median: float) -> Clause:
    value = table.values[column][row].item()
    if table.kinds[column] == "category" or value != value:
        return Clause(column, "==", value)
    return Clause(column, ">=" if value >= median else "<=", value)
