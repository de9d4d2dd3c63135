"""Networks, one file an architecture."""

from .compact import Compact
from .dcgan import DCGAN
from .mlp import MLP

__all__ = ["DCGAN", "MLP", "Compact"]
