"""Structural similarity: brightness, contrast and structure within a small window. Wang et al. 2004."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ...configuration import config
from ...errors import GanvasError
from .pixels import check_pair, round_to_pixels

WINDOW_PIXELS, WINDOW_DEVIATION = 11, 1.5
BRIGHTNESS_CONSTANT, CONTRAST_CONSTANT = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang et al. 2004: K1 and K2


@config
class SSIM:
    """Mean over channels, and over the places where a Gaussian window of 11 px (deviation 1.5) fits; 1 for identical pictures.

    Pictures are rounded and clipped to 8 bits per channel first.
    """

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"ssim": False}

    def __call__(self, x: Tensor, other: Tensor) -> dict[str, Tensor]:
        check_pair(x, other, "ssim")
        if min(x.shape[2:]) < WINDOW_PIXELS:
            raise GanvasError(f"ssim: needs {WINDOW_PIXELS} px a side or more, got {x.shape[3]} x {x.shape[2]}: leave it out")
        pairs = zip(x.split(16), other.split(16), strict=True)  # few at a time: each takes fifteen times its memory
        return {"ssim": torch.cat([compare_structure(round_to_pixels(a), round_to_pixels(b)) for a, b in pairs])}


def compare_structure(x: Tensor, y: Tensor) -> Tensor:
    """Pixels [N, C, H, W] in [0, 255] twice -> SSIM [N]. Wang et al. 2004, eq. 13."""
    mean_x, mean_y = average_windows(x), average_windows(y)
    variance_x = average_windows(x * x) - mean_x.square()
    variance_y = average_windows(y * y) - mean_y.square()
    covariance = average_windows(x * y) - mean_x * mean_y
    brightness = (2 * mean_x * mean_y + BRIGHTNESS_CONSTANT) / (mean_x.square() + mean_y.square() + BRIGHTNESS_CONSTANT)
    structure = (2 * covariance + CONTRAST_CONSTANT) / (variance_x + variance_y + CONTRAST_CONSTANT)
    return (brightness * structure).mean((1, 2, 3))


def average_windows(x: Tensor) -> Tensor:
    """The weighted mean of each window that fits: [N, C, H, W] -> [N, C, H − 10, W − 10]."""
    offsets = torch.arange(WINDOW_PIXELS, dtype=x.dtype, device=x.device) - WINDOW_PIXELS // 2
    weights = torch.exp(-offsets.square() / (2 * WINDOW_DEVIATION**2))
    weights = weights / weights.sum()
    rows = conv2d(x.flatten(0, 1)[:, None], weights.view(1, 1, -1, 1))
    return conv2d(rows, weights.view(1, 1, 1, -1))[:, 0].unflatten(0, x.shape[:2])
