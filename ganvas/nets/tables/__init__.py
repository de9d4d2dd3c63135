"""Networks for the rows of tables."""

from .rows import RowPerceptrons

__all__ = ["RowPerceptrons"]
