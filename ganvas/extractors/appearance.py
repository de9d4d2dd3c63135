"""What can be measured of a picture without a trained network: detail, brightness, colour, saturation, and coarse pixels."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..configuration import config
from ..core import Features
from ..errors import GanvasError
from ..metrics.pairs.colourfulness import measure_colourfulness

FINE_BAND, MIDDLE_BAND = (0.375, 0.5), (0.1875, 0.375)  # max(|fx|, |fy|) in cycles per pixel: from, below (0.5 is the last)
COARSE_PIXELS = 16  # longest side of the pixels that diversity is measured on: noise is no variety
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, of red, green and blue
MAX_VALUES = {torch.uint8: 255, torch.uint16: 65_535}


@config
class Appearance:
    """Images [N, H, W, C] of 8 or 16 bits, or float in [0, 1] -> the five metrics.appearance.MEASURES, then coarse pixels.

    Of four channels the last, alpha, is left out. Colourfulness is 0 without three colours.
    """

    batch: int = 250  # images at a time

    @property
    def word(self) -> str:
        return "appearance"

    @property
    def media(self) -> tuple[str, ...]:
        return ("image",)

    @property
    def name(self) -> str:
        return "appearance-v1"

    def __call__(self, stored: Tensor) -> Features:
        if stored.ndim != 4 or not (stored.dtype in MAX_VALUES or stored.is_floating_point()):
            kind = str(stored.dtype).removeprefix("torch.")
            raise GanvasError(
                f"{self.name}: needs images [N, H, W, C] of 8 or 16 bits, or float in [0, 1], got {kind} "
                f"{list(stored.shape)}: use Pixels"
            )
        with torch.inference_mode():
            parts = [measure_pictures(scale_values(images)).cpu().double().numpy() for images in stored.split(self.batch)]
        return Features(np.concatenate(parts))


def scale_values(images: Tensor) -> Tensor:
    """Images [N, H, W, C] -> float32 [N, C, H, W] in [0, 1], without alpha."""
    x = images.float() / MAX_VALUES.get(images.dtype, 1)
    return (x[..., :3] if x.shape[3] == 4 else x).permute(0, 3, 1, 2)


def measure_pictures(x: Tensor) -> Tensor:
    """Pictures [N, C, H, W] in [0, 1] -> [N, 5 + coarse pixels]."""
    luminance = compute_luminance(x)
    power = torch.fft.fft2(luminance, norm="ortho").abs().square()  # of white noise: its variance, everywhere
    columns = [
        average_band(power, *FINE_BAND),
        average_band(power, *MIDDLE_BAND),
        luminance.mean((1, 2)),
        measure_colourfulness(x),
        ((x <= 0) | (x >= 1)).float().mean((1, 2, 3)),
    ]
    shrink = min(1.0, COARSE_PIXELS / max(x.shape[2:]))
    height, width = (max(1, round(side * shrink)) for side in x.shape[2:])
    coarse = F.adaptive_avg_pool2d(x, (height, width))
    return torch.cat([torch.stack(columns, 1), coarse.flatten(1)], 1)


def compute_luminance(x: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, H, W]: of red, green and blue as the eye weighs them, of other channels the mean."""
    return torch.einsum("nchw,c->nhw", x, x.new_tensor(LUMA)) if x.shape[1] == 3 else x.mean(1)


def average_band(power: Tensor, low: float, high: float) -> Tensor:
    """Mean power [N] of the frequencies with low <= max(|fx|, |fy|) < high, and 0.5; 0 if a small picture has none."""
    fy, fx = (torch.fft.fftfreq(side, device=power.device).abs() for side in power.shape[1:])
    radius = torch.maximum(fy[:, None], fx)
    is_inside = (radius >= low) & ((radius < high) | math.isclose(high, 0.5))
    return power[:, is_inside].mean(1) if bool(is_inside.any()) else power.new_zeros(len(power))
