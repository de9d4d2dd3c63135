"""Linkability: can synthetic rows join two halves of a person's record, which two others keep apart?

Article 29 Working Party, opinion 05/2014; the attack is that of Anonymeter (Giomi et al. 2023, section 4.3).
"""

from collections.abc import Sequence

import numpy as np

from ...core import PlainTable
from ...errors import GanvasError
from .membership_by_distance import MAX_SYNTHETIC, TARGETS
from .rates import AttackResult, Rate, balance_targets, check_columns
from .row_distances import find_neighbour_rows


def attack_linkability(
    train: PlainTable,
    held_out: PlainTable,
    synthetic: PlainTable,
    halves: tuple[Sequence[int], Sequence[int]] | None = None,
    neighbours: int = 1,
    targets: int = TARGETS,
    seed: int = 0,
) -> AttackResult:
    """A row is linked if a synthetic row is among the nearest to both of its halves.

    Args:
        halves: the numbers of the columns that the one and the other know. None: every second column.
        neighbours: how many nearest synthetic rows count.

    Raises:
        GanvasError: other columns, columns that are no halves, too few rows, or too many neighbours.
    """
    rng = np.random.default_rng(seed)
    one, two = halves or (range(0, len(train.names), 2), range(1, len(train.names), 2))
    check_columns(train, (*one, *two), "the two halves of linkability")
    if not (len(one) and len(two)):
        raise GanvasError("linkability needs columns on both sides, so two at least")
    members, others = balance_targets(train, held_out, synthetic, targets, rng)
    synthetic = synthetic.draw(MAX_SYNTHETIC, rng)
    if not 1 <= neighbours <= len(synthetic):
        raise GanvasError(f"linkability counts 1 to {len(synthetic)} neighbours, got {neighbours}")
    rates = [_count_links(rows, synthetic, one, two, neighbours) for rows in (members, others)]
    return AttackResult("linkability", *rates)


def _count_links(rows: PlainTable, synthetic: PlainTable, one: Sequence[int], two: Sequence[int], k: int) -> Rate:
    a, b = (find_neighbour_rows(rows.select(columns), synthetic.select(columns), k) for columns in (one, two))
    is_linked = np.array([len(np.intersect1d(x, y)) > 0 for x, y in zip(a, b, strict=True)])
    return Rate(int(is_linked.sum()), len(rows))
