"""What D sees of samples, real and generated alike, when there are few of them."""

from .diffaugment import DiffAugment

__all__ = ["DiffAugment"]
