"""Samples as pixels, which scores of pairs compare: rounded and clipped, as in a file."""

import torch
from torch import Tensor

from ...errors import GanvasError, require

MAX_BITS = 16


def round_to_pixels(x: Tensor, bits: int = 8) -> Tensor:
    """Images [N, C, H, W] in [-1, 1] -> float64 in [0, 255], in steps of 255 / (2^bits − 1)."""
    require(8 <= bits <= MAX_BITS, "bits", bits, f"from 8 to {MAX_BITS}")
    levels = 2**bits - 1
    return ((x.double().clamp(-1, 1) + 1) * (levels / 2)).round() * (255 / levels)


def check_pair(x: Tensor, other: Tensor, name: str) -> None:
    """Raises GanvasError, with the name of the metric, unless both are finite images [N, C, H, W] of one shape."""
    if x.ndim != 4 or x.shape != other.shape or not len(x):
        raise GanvasError(
            f"{name}: compares images [N, C, H, W] of one shape, got {list(x.shape)} and {list(other.shape)}: "
            "bring one of them to the other's size and channels"
        )
    if not (torch.isfinite(x).all() and torch.isfinite(other).all()):
        raise GanvasError(f"{name}: the images hold NaN or infinity: the generator has diverged, so take an earlier checkpoint")
