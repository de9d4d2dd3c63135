"""Pictures between 0 and 1, as several original authors' networks see them."""

from torch import Tensor


def to_unit_range(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], where zero padding is black, as in the original authors' code."""
    return x * 0.5 + 0.5


def from_unit_range(x: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]."""
    return x * 2 - 1
