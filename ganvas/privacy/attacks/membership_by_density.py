"""Membership by density: are synthetic rows denser around a row than rows of the world are?

The question of DOMIAS (van Breugel et al. 2023), with nearest neighbours in the place of its density estimators.
"""

import numpy as np

from ...core import PlainTable, check_same_columns
from ...errors import GanvasError
from .membership import MembershipResult, judge_membership
from .membership_by_distance import MAX_SYNTHETIC, TARGETS
from .rates import MIN_TARGETS, balance_targets
from .row_distances import find_nearest_rows

SOFTENING = 0.01  # added to distances, for each column: equal rows are not infinitely dense


def attack_membership_by_density(
    train: PlainTable,
    held_out: PlainTable,
    synthetic: PlainTable,
    reference: PlainTable | None = None,
    targets: int = TARGETS,
    seed: int = 0,
) -> MembershipResult:
    """The score is the distance to the nearest reference row over that to the nearest synthetic one.

    Args:
        reference: what an attacker knows of the world: rows that are neither in `train` nor in `held_out`. None: half of
            `held_out`, and the other half is attacked.

    Raises:
        GanvasError: other columns, or too few rows.
    """
    rng = np.random.default_rng(seed)
    if reference is None:
        order = rng.permutation(len(held_out))
        reference, held_out = held_out.take(order[len(order) // 2 :]), held_out.take(order[: len(order) // 2])
    check_same_columns(train, reference)
    if len(reference) < MIN_TARGETS:
        raise GanvasError(f"the reference has {len(reference)} rows: {MIN_TARGETS} are needed")
    members, others = balance_targets(train, held_out, synthetic, targets, rng)
    count = min(len(reference), len(synthetic), MAX_SYNTHETIC)  # more rows of one side alone would lie nearer
    reference, synthetic = reference.draw(count, rng), synthetic.draw(count, rng)
    softening = SOFTENING * len(train.names)
    scores = [
        np.log(find_nearest_rows(rows, reference)[0] + softening) - np.log(find_nearest_rows(rows, synthetic)[0] + softening)
        for rows in (members, others)
    ]
    return judge_membership("membership by density", *scores, seed=seed)
