"""Choosers: they adapt a recipe to data, device and time."""

from .by_budget import ByBudget
from .by_parts import ByParts
from .by_size import BySize

__all__ = ["ByBudget", "ByParts", "BySize"]
