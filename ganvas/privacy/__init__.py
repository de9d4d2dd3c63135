"""Privacy: what a release costs, noise and clipping that make it private, and attacks that measure what leaks.

This package knows no medium and no engine: numpy and torch alone.
"""

from .clipping import (
    ClippedGradients,
    LinearUses,
    add_gradient_noise,
    clip_gradients,
    record_linear_layers,
)
from .ledger import Ledger, NoisyRelease, bound_guess, explain_epsilon, parse_ledger
from .noisy_pairs import NoisyPairs, release_pairs
from .renyi import compute_epsilon, find_sigma
from .row_gradients import clip_row_gradients

__all__ = [
    "ClippedGradients",
    "Ledger",
    "LinearUses",
    "NoisyPairs",
    "NoisyRelease",
    "add_gradient_noise",
    "bound_guess",
    "clip_gradients",
    "clip_row_gradients",
    "compute_epsilon",
    "explain_epsilon",
    "find_sigma",
    "parse_ledger",
    "record_linear_layers",
    "release_pairs",
]
