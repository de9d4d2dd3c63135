"""Inference: who knows all but one cell of a record guesses it from the nearest synthetic row.

Article 29 Working Party, opinion 05/2014; the attack is that of Anonymeter (Giomi et al. 2023, section 4.4).
"""

from collections.abc import Sequence

import numpy as np

from ...core import PlainTable
from ...errors import GanvasError
from .membership_by_distance import MAX_SYNTHETIC, TARGETS
from .rates import AttackResult, Rate, balance_targets, check_columns
from .row_distances import find_nearest_rows, rank_numbers

TOLERANCE = 0.025  # of ranks, on both sides: a guess of a number is right among the 5% of rows around the truth


def attack_inference(
    train: PlainTable,
    held_out: PlainTable,
    synthetic: PlainTable,
    secret: int,
    known: Sequence[int] | None = None,
    targets: int = TARGETS,
    seed: int = 0,
) -> AttackResult:
    """Guess the column `secret` as the synthetic row has it that is nearest in the columns `known`.

    Args:
        known: numbers of columns. None: all others.

    Raises:
        GanvasError: other columns, a secret that is known, or too few rows.
    """
    rng = np.random.default_rng(seed)
    known = [c for c in range(len(train.names)) if c != secret] if known is None else known
    if not known:
        raise GanvasError("inference needs a column that is known, and the table has one alone")
    check_columns(train, (secret, *known), "the secret and the known columns")
    members, others = balance_targets(train, held_out, synthetic, targets, rng)
    synthetic = synthetic.draw(MAX_SYNTHETIC, rng)
    rates = [_count_right_guesses(rows, synthetic, secret, known) for rows in (members, others)]
    return AttackResult(f"inference of {train.names[secret]}", *rates)


def _count_right_guesses(rows: PlainTable, synthetic: PlainTable, secret: int, known: Sequence[int]) -> Rate:
    _, nearest = find_nearest_rows(rows.select(known), synthetic.select(known))
    truth, guess = rows.values[secret], synthetic.values[secret][nearest]
    if rows.kinds[secret] == "category":
        return Rate(int((truth == guess).sum()), len(rows))
    truth, guess = (rank_numbers(values, synthetic.values[secret]) for values in (truth, guess))
    return Rate(int((np.abs(truth - guess) <= TOLERANCE).sum()), len(rows))
