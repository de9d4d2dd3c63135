"""Networks for the rows of tables."""

from .rows import RowPerceptrons
from .shares import RowShares

__all__ = ["RowPerceptrons", "RowShares"]
