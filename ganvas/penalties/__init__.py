"""Penalties that keep a critic smooth, and one for generators; one file each."""

from .finite_difference import FiniteDifferenceR1, FiniteDifferenceR2
from .gradient_penalty import Dragan, Drift, GradientPenalty
from .path_length import PathLength
from .r1 import R1, R2

__all__ = ["R1", "R2", "Dragan", "Drift", "FiniteDifferenceR1", "FiniteDifferenceR2", "GradientPenalty", "PathLength"]
