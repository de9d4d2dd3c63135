"""Membership by D's logit: D may call members real more surely than others (LOGAN; Hayes et al. 2019). For any medium."""

import numpy as np

from .membership import MembershipResult, judge_membership


def attack_membership_by_logit(members: np.ndarray, others: np.ndarray, seed: int = 0) -> MembershipResult:
    """The score is D's logit, higher for real.

    Args:
        members: logits of samples that training has seen, [N].
        others: logits of samples that it has not, [M], in the same state of D and without augmentation.

    Raises:
        GanvasError: too few logits, or NaN.
    """
    return judge_membership("membership by D's logit", members, others, seed)
