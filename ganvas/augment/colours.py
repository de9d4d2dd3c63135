"""Changes of colour, amplified and damped frequencies, and noise, each with probability p. Karras et al. 2020b, appendix B."""

from functools import cache
from math import pi

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ..resampling import get_constant_tensor
from .geometry import choose_at_random

SYM2_WAVELET = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)  # the wavelet sym2
OCTAVE_COUNT, OCTAVE_POWERS = (
    4,
    (10 / 13, 1 / 13, 1 / 13, 1 / 13),
)  # from the coarsest octave; the power of images in each


def jitter_colours(x: Tensor, p: Tensor) -> Tensor:
    """Brightness, contrast and inverted luma; for RGB images also hue and saturation."""
    n, channels = x.shape[:2]
    normal, draw = torch.randn(3, n, device=x.device), torch.rand(2, n, device=x.device)
    brightness, contrast = choose_at_random(p, 0.2 * normal[0], 0.0), choose_at_random(p, torch.exp2(0.5 * normal[1]), 1.0)
    flip = choose_at_random(p, (draw[0] < 0.5).float(), 0.0)
    x = (x + brightness[:, None, None, None]) * contrast[:, None, None, None]
    if channels != 3:
        return x * (1 - 2 * flip)[:, None, None, None]
    angle = choose_at_random(p, (draw[1] * 2 - 1) * pi, 0.0)
    saturation = choose_at_random(p, torch.exp2(normal[2]), 1.0)
    luma = torch.full((3, 3), 1 / 3, device=x.device)  # vvᵀ; v is the gray axis
    colour = torch.eye(3, device=x.device) - luma
    change = torch.eye(3, device=x.device) - 2 * flip[:, None, None] * luma
    change = (luma + saturation[:, None, None] * colour) @ rotate_about_gray(angle) @ change
    return torch.einsum("nij,njhw->nihw", change.to(x.dtype), x)


def rotate_about_gray(angle: Tensor) -> Tensor:
    """Rotations about the gray axis, [N, 3, 3] (Rodrigues)."""
    axis = 3**-0.5
    cross = get_constant_tensor((0.0, -axis, axis, axis, 0.0, -axis, -axis, axis, 0.0), angle.dtype, angle.device).view(3, 3)
    sine, rest = angle.sin()[:, None, None], (1 - angle.cos())[:, None, None]
    return torch.eye(3, device=angle.device) + sine * cross + rest * (cross @ cross)


def filter_octaves(x: Tensor, p: Tensor) -> Tensor:
    """Amplify and damp octaves at the same total power, with another filter for each sample."""
    n, channels, height, width = x.shape
    gains = torch.ones(n, OCTAVE_COUNT, device=x.device)
    power = get_constant_tensor(OCTAVE_POWERS, x.dtype, x.device)
    for band in range(OCTAVE_COUNT):
        change = torch.ones(n, OCTAVE_COUNT, device=x.device)
        change[:, band] = choose_at_random(p, torch.exp2(torch.randn(n, device=x.device)), 1.0)
        gains = gains * change / (power * change.square()).sum(1, keepdim=True).sqrt()
    filters = get_constant_tensor(build_octave_filters(), x.dtype, x.device).view(OCTAVE_COUNT, -1)
    taps = (gains @ filters).repeat_interleave(channels, 0)  # [N·C, K]
    edge, groups = taps.shape[1] // 2, n * channels
    margins = [min(edge, width - 1), min(edge, height - 1)]
    x = pad(x, [margins[0], margins[0], margins[1], margins[1]], mode="reflect").flatten(0, 1)[None]
    x = pad(x, [edge - margins[0]] * 2 + [edge - margins[1]] * 2)
    x = conv2d(x, taps[:, None, :, None], groups=groups)
    return conv2d(x, taps[:, None, None, :], groups=groups).unflatten(1, (n, channels))[0]


@cache
def build_octave_filters() -> tuple[float, ...]:
    """The filters of the octaves, one after another; their sum is the identity."""
    low = torch.tensor(SYM2_WAVELET, dtype=torch.float64)
    high = low * torch.tensor([1.0, -1.0, 1.0, -1.0])
    smooth, sharp = (convolve_rows(half[None], half.flip(0))[0] / 2 for half in (low, high))
    filters = torch.eye(OCTAVE_COUNT, dtype=torch.float64)[:, :1]  # the coarsest octave is what the others leave
    for band in range(1, OCTAVE_COUNT):
        spread = torch.stack([filters, torch.zeros_like(filters)], 2).flatten(1)[:, :-1]
        filters = convolve_rows(spread, smooth)
        middle = filters.shape[1] // 2
        filters[band, middle - 3 : middle + 4] += sharp
    return tuple(filters.flatten().tolist())


def convolve_rows(rows: Tensor, taps: Tensor) -> Tensor:
    """Full convolution of each row [R, K] with `taps`."""
    return torch.nn.functional.conv1d(rows[:, None], taps.flip(0)[None, None], padding=len(taps) - 1)[:, 0]


def add_noise(x: Tensor, p: Tensor) -> Tensor:
    """Add noise, of another strength for each sample."""
    strength = choose_at_random(p, (0.1 * torch.randn(len(x), device=x.device)).abs(), 0.0)
    return x + strength[:, None, None, None] * torch.randn_like(x)
