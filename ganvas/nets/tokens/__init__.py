"""Networks for discrete samples: letters, and rows of categories."""

from .generator import TokenGenerator, TokenScores
from .grus import TokenGRUs

__all__ = ["TokenGRUs", "TokenGenerator", "TokenScores"]
