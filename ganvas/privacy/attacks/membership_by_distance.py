"""Membership by distance: members may lie nearer to a synthetic row than others (GAN-Leaks; Chen et al. 2020, section 4)."""

import numpy as np

from ...core import PlainTable
from .membership import MembershipResult, judge_membership
from .rates import balance_targets
from .row_distances import find_nearest_rows

TARGETS = 2_000
MAX_SYNTHETIC = 20_000


def attack_membership_by_distance(
    train: PlainTable, held_out: PlainTable, synthetic: PlainTable, targets: int = TARGETS, seed: int = 0
) -> MembershipResult:
    """The score is minus the distance to the nearest synthetic row.

    Args:
        held_out: rows of the same people, places or times, which training never saw.

    Raises:
        GanvasError: other columns, or too few rows.
    """
    rng = np.random.default_rng(seed)
    members, others = balance_targets(train, held_out, synthetic, targets, rng)
    synthetic = synthetic.draw(MAX_SYNTHETIC, rng)
    scores = [-find_nearest_rows(rows, synthetic)[0] for rows in (members, others)]
    return judge_membership("membership by distance", *scores, seed=seed)
