"""Attacks on synthetic data, one file each. Each has its control: the same attack on rows that training never saw.

An attack that fails proves nothing: a better one may not. Only the accountant's epsilon is a promise.
"""

from .closest_record import ClosestRecords, measure_closest_records
from .inference import attack_inference
from .linkability import attack_linkability
from .membership import MembershipResult, judge_membership
from .membership_by_density import attack_membership_by_density
from .membership_by_distance import attack_membership_by_distance
from .membership_by_logit import attack_membership_by_logit
from .rates import AttackResult, Rate
from .singling_out import attack_by_singling_out

__all__ = [
    "AttackResult",
    "ClosestRecords",
    "MembershipResult",
    "Rate",
    "attack_by_singling_out",
    "attack_inference",
    "attack_linkability",
    "attack_membership_by_density",
    "attack_membership_by_distance",
    "attack_membership_by_logit",
    "judge_membership",
    "measure_closest_records",
]
