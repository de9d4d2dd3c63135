"""What a turn of the game is, one file a method."""

from .adversarial import Adversarial

__all__ = ["Adversarial"]
