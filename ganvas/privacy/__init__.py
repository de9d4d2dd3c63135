"""Privacy: what a release costs, noise and clipping that make it private, and attacks that measure what leaks.

This package knows no medium and no engine: numpy and torch alone.
"""

from .ledger import Ledger, NoisyRelease, bound_guess, explain_epsilon, parse_ledger
from .renyi import compute_epsilon, find_sigma

__all__ = [
    "Ledger",
    "NoisyRelease",
    "bound_guess",
    "compute_epsilon",
    "explain_epsilon",
    "find_sigma",
    "parse_ledger",
]
