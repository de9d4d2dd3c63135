"""Penalties that keep a critic smooth, one file each."""

from .finite_difference import FiniteDifferenceR1, FiniteDifferenceR2
from .r1 import R1, R2

__all__ = ["R1", "R2", "FiniteDifferenceR1", "FiniteDifferenceR2"]
