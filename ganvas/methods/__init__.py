"""What a turn of the game is, one file a method."""

from .adversarial import Adversarial
from .progressive import Progressive

__all__ = ["Adversarial", "Progressive"]
