"""Was this row in the training data? What all attacks on membership share: scores of members and of others."""

from typing import NamedTuple

import numpy as np

from ...errors import GanvasError
from ...ranks import Z, measure_auc_with_error
from .rates import MIN_TARGETS, AttackResult, Rate

SUREST = 0.05  # the share of rows that a careful attacker guesses at


class MembershipResult(NamedTuple):
    """How well scores tell members from others: 0.5 is chance. A few copies show in `surest` alone."""

    name: str
    auc: float
    auc_interval: tuple[float, float]  # 95%
    half: AttackResult  # guesses at the half with the highest scores
    surest: AttackResult  # guesses at a twentieth

    @property
    def is_leak(self) -> bool:
        """Whether the AUC is above chance, or the careful attacker is."""
        return self.auc_interval[0] > 0.5 or self.surest.is_leak

    def explain(self) -> str:
        """A sentence."""
        low, high = self.auc_interval
        verdict = "members leak" if self.is_leak else "no leak shows here"
        return f"{self.name}: AUC {self.auc:.3f} ({low:.3f} to {high:.3f}, chance is 0.5): {verdict}"


def judge_membership(name: str, members: np.ndarray, others: np.ndarray, seed: int = 0) -> MembershipResult:
    """From scores [N] and [M], higher for who seems to be a member.

    Args:
        seed: of the order among equal scores.

    Raises:
        GanvasError: too few scores, or NaN.
    """
    if min(len(members), len(others)) < MIN_TARGETS:
        raise GanvasError(f"{name} needs {MIN_TARGETS} scores of members and of others, got {len(members)} and {len(others)}")
    auc, error = measure_auc_with_error(members, others)
    rng = np.random.default_rng(seed)
    guesses = [_guess_highest(name, members, others, share, rng) for share in (0.5, SUREST)]
    return MembershipResult(name, auc, (max(0.0, auc - Z * error), min(1.0, auc + Z * error)), *guesses)


def _guess_highest(name: str, members: np.ndarray, others: np.ndarray, share: float, rng: np.random.Generator) -> AttackResult:
    """Call this share of all rows members, those with the highest scores."""
    scores = np.concatenate([members, others])
    order = np.lexsort((rng.random(len(scores)), -scores))  # chance decides among equals
    hits = int((order[: max(1, round(share * len(scores)))] < len(members)).sum())
    wrong = max(1, round(share * len(scores))) - hits
    return AttackResult(f"{name}, {share:.0%}", Rate(hits, len(members)), Rate(wrong, len(others)))
