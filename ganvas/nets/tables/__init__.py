"""Networks for rows of tables. Fields of the spec alone decide their last layers."""

from .ctgan import CTGAN
from .tvae import TVAE

__all__ = ["CTGAN", "TVAE"]
