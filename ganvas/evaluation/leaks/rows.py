"""All attacks on rows of a table: membership, singling out, linkability, inference, and a look for copies.

Numbers are the middles of their intervals: an attacker who knows the codec knows no more of a row than that.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...core import PlainTable
from ...privacy.attacks import (
    attack_by_singling_out,
    attack_inference,
    attack_linkability,
    attack_membership_by_density,
    attack_membership_by_distance,
    measure_closest_records,
)
from ...privacy.attacks.closest_record import find_equal_rows
from ...privacy.attacks.rates import MIN_TARGETS
from .findings import Finding, describe_membership, describe_rate

SECRETS = 4  # columns to infer: the target, and some others
DESCRIBED_COLUMNS = 4
LEAST_FOR_DENSITY = 2 * MIN_TARGETS  # held-out rows: half of them are what an attacker knows of the world
OVERLAP = 0.05  # of held-out rows; more of them in the training data, beyond what twins explain, is a caution

DISTANCE = "Does a training row lie nearer to a synthetic row than a row that training never saw?"
DENSITY = "Do synthetic rows crowd around a training row more than real rows do?"
ONE_COLUMN = "A value that one synthetic row alone has, or the outermost one: does exactly one training row have it?"
SEVERAL_COLUMNS = "A description by {} columns fits one synthetic row alone: does it fit exactly one training row?"
LINK = "Two lists each know half of the columns of a person: do synthetic rows tell which halves belong together?"
INFER = "Who knows all of a row but {} copies it from the nearest synthetic row: is that right more often for training rows?"


class RowTables(NamedTuple):
    """What attacks on rows see."""

    members: PlainTable
    others: PlainTable
    synthetic: PlainTable


def list_row_attacks(tables: RowTables, target: str, targets: int, seed: int) -> list[Callable[[], Finding]]:
    """The attacks, ready to be carried out, each on `targets` rows of each side; descriptions, on all rows."""
    names = tables.members.names
    settings: dict[str, Any] = {"targets": targets, "seed": seed}
    attacks: list[Callable[[], Finding]] = [
        lambda: describe_membership(attack_membership_by_distance(*tables, **settings), DISTANCE),
        lambda: describe_rate(attack_by_singling_out(*tables, columns=1, seed=seed), ONE_COLUMN),
    ]
    if len(tables.others) >= LEAST_FOR_DENSITY:
        attacks.insert(1, lambda: describe_membership(attack_membership_by_density(*tables, **settings), DENSITY))
    if len(names) == 1:
        return attacks
    described = min(DESCRIBED_COLUMNS, len(names))
    question = SEVERAL_COLUMNS.format(described)
    return [
        *attacks,
        lambda: describe_rate(attack_by_singling_out(*tables, columns=described, seed=seed), question),
        lambda: describe_rate(attack_linkability(*tables, **settings), LINK),
        *_list_inferences(tables, choose_secrets(names, target, seed), settings),
    ]


def choose_secrets(names: tuple[str, ...], target: str, seed: int) -> list[str]:
    """The columns to infer: the target first, then some at random."""
    others = [name for name in names if name != target]
    first = [target] if target in names else []
    chosen = np.random.default_rng(seed).permutation(len(others))[: SECRETS - len(first)]
    return [*first, *(others[k] for k in sorted(chosen))]


def _list_inferences(tables: RowTables, secrets: list[str], settings: dict[str, Any]) -> Iterator[Callable[[], Finding]]:
    for name in secrets:
        secret = tables.members.find_column(name)
        yield lambda name=name, secret=secret: describe_rate(attack_inference(*tables, secret, **settings), INFER.format(name))


def look_for_copies(tables: RowTables, targets: int, seed: int) -> dict[str, Any]:
    """The card's entry on the closest records: a detector of copies."""
    result = measure_closest_records(*tables, rows=targets, seed=seed)
    return {
        "training_rows": result.copies.main.share,
        "other_rows": result.copies.control.share,
        "nearer_to_training": result.nearer_to_training,
        "nearer_interval": list(result.nearer_interval),
        "is_copying": bool(result.copies.is_leak or result.nearer_interval[0] > 0.5),
        "sentence": result.explain(),
    }


def list_overlaps(tables: RowTables) -> list[str]:
    """A caution if held-out rows stand in the training data, more of them than training rows have twins."""
    share = float(find_equal_rows(tables.others, tables.members).mean())
    half = len(tables.members) // 2
    twins = float(find_equal_rows(tables.members.take(slice(half)), tables.members.take(slice(half, None))).mean())
    if share <= 2 * twins + OVERLAP:  # of half as many rows
        return []
    return [
        f"{share:.0%} of the held-out rows stand in the training data as they are: if they are the same people, no attack "
        "can tell the two apart; leave them out"
    ]
