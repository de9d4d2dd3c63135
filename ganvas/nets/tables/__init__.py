"""Networks for the rows of tables."""

from .ctgan import CTGAN
from .rows import RowPerceptrons
from .shares import RowShares
from .tvae import TVAE

__all__ = [
    "CTGAN",
    "TVAE",
    "RowPerceptrons",
    "RowShares",
]
