"""Enlarge and shrink images by filters, with PyTorch's convolutions: all can be differentiated twice.

Fastest in the memory layout channels_last (docs/log.md). Outside an image there are zeros.
"""

from functools import cache
from math import pi

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, interpolate, pad

SMALLEST_SIDE = 4  # pixels at which networks stop halving
BINOMIAL_TAPS = (1.0, 3.0, 3.0, 1.0)  # Karras et al. 2020a, appendix B


def count_common_halvings(*sides: int) -> int:
    """How often all sides can be halved together: they stay whole, and the shortest stays at least 4 px."""
    count = 0
    while all(side % 2 == 0 for side in sides) and min(sides) >= 2 * SMALLEST_SIDE:
        sides, count = tuple(side // 2 for side in sides), count + 1
    return count


def blur_by_binomial(x: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    """Each output is the mean, weighted by [1, 3, 3, 1], of 4 x 4 inputs: [N, C, H, W] -> [N, C, H + 2·padding − 3, …]."""
    return convolve_binomial(x, padding, 1, gain)


def halve_size(x: Tensor) -> Tensor:
    """Half the size, by the same filter."""
    if x.is_cpu and x.dtype == torch.bfloat16:  # its derivative is ten to twenty times slower than in fp32
        with torch.autocast("cpu", enabled=False):
            return convolve_binomial(x.float(), 1, 2).to(x.dtype)
    return convolve_binomial(x, 1, 2)


def convolve_binomial(x: Tensor, padding: int, stride: int, gain: float = 1.0) -> Tensor:
    """Filter both axes at once, which is faster for so few taps."""
    taps = get_constant_tensor(BINOMIAL_TAPS, x.dtype, x.device)
    kernel = (taps[:, None] * taps * (gain / 64)).expand(x.shape[1], 1, 4, 4)
    return conv2d(x, kernel, None, stride, padding, groups=x.shape[1])


@cache
def get_constant_tensor(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """A cached tensor: a new one each time would wait for the GPU."""
    with torch.inference_mode(False):  # otherwise it could not take part in gradients later
        return torch.tensor(values, dtype=dtype, device=device)


def double_size(x: Tensor) -> Tensor:
    """Twice the size, by the same filter, which equals bilinear interpolation."""
    return interpolate(pad(x, [1] * 4), scale_factor=2, mode="bilinear")[:, :, 2:-2, 2:-2]


def design_lowpass(taps: int, cutoff: float, width: float, rate: float, radial: bool = False) -> Tensor:
    """A Kaiser-windowed filter of gain 1: [taps], or [taps, taps] if radial (a jinc instead of the sinc).

    cutoff, width: the end of the passband, and the width of the transition to the stopband, in units of the sampling `rate`.
    Karras et al. 2021, appendix C; Kaiser's rules as in Oppenheim & Schafer, section 7.6.
    """
    attenuation = 2.285 * (taps - 1) * pi * width / (rate / 2) + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    else:
        beta = 0.5842 * max(0.0, attenuation - 21) ** 0.4 + 0.07886 * max(0.0, attenuation - 21)
    window = torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)
    x = (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / rate
    if radial:
        r = torch.hypot(x[:, None], x[None, :])  # never 0 for an even number of taps
        kernel = torch.special.bessel_j1(2 * cutoff * pi * r) / (pi * r) * window[:, None] * window[None, :]
    else:
        kernel = torch.sinc(2 * cutoff * x) * window
    return (kernel / kernel.sum()).float()


MAX_MATRIX_PIXELS = 128  # up to this side a long filter is a matrix: more multiply-adds, but faster


def upsample_by_filter(x: Tensor, taps: Tensor, factor: int, padding: tuple[int, int]) -> Tensor:
    """Filter x [N, C, H, W] with zeros between its pixels and `padding` zeros (before, after) it; the mean stays."""
    channels, sizes, count = x.shape[1], x.shape[2:], len(taps)
    if max(sizes) <= MAX_MATRIX_PIXELS:
        extra_pixels = sum(padding) - count + 1
        taps = taps.flip(0) * factor
        return multiply_both_axes(
            x, *(build_banded_matrix(taps, n * factor + extra_pixels, n, 1, factor, padding[0]) for n in sizes)
        )
    cut_before, cut_after = count - 1 - padding[0], count - factor - padding[1]  # cut off the full convolution
    for axis in (2, 3):
        shape, stride = ([count, 1], [factor, 1]) if axis == 2 else ([1, count], [1, factor])
        weight = (taps.to(x.dtype) * factor).view(1, 1, *shape).expand(channels, 1, *shape)
        x = conv_transpose2d(x, weight, stride=stride, groups=channels)
    return pad(x, [-cut_before, -cut_after] * 2)


def downsample_by_filter(x: Tensor, taps: Tensor, factor: int) -> Tensor:
    """Filter x [N, C, H, W] by `taps`, [K] for each axis or [K, K], and keep every `factor`-th pixel."""
    channels, weight, sizes, count = x.shape[1], taps.to(x.dtype), x.shape[2:], len(taps)
    if taps.dim() == 2:
        return conv2d(x, weight.expand(channels, 1, count, count), stride=factor, groups=channels)
    if max(sizes) <= 2 * MAX_MATRIX_PIXELS:
        return multiply_both_axes(x, *(build_banded_matrix(taps, (n - count) // factor + 1, n, factor, 1, 0) for n in sizes))
    x = conv2d(x, weight.view(1, 1, -1, 1).expand(channels, 1, count, 1), stride=(factor, 1), groups=channels)
    return conv2d(x, weight.view(1, 1, 1, -1).expand(channels, 1, 1, count), stride=(1, factor), groups=channels)


def build_banded_matrix(taps: Tensor, output_size: int, input_size: int, stride: int, spread: int, shift: int) -> Tensor:
    """A filter as a matrix [output_size, input_size]: output i begins at i·stride, input j lies at shift + j·spread."""
    offsets = (
        torch.arange(input_size, device=taps.device) * spread
        + shift
        - torch.arange(output_size, device=taps.device)[:, None] * stride
    )
    return torch.where((offsets >= 0) & (offsets < len(taps)), taps[offsets.clamp(0, len(taps) - 1)], 0.0)


def multiply_both_axes(x: Tensor, row_matrix: Tensor, column_matrix: Tensor) -> Tensor:
    """x [N, C, H, W], [H', H], [W', W] -> [N, C, H', W']."""
    return row_matrix.to(x.dtype) @ (x @ column_matrix.to(x.dtype).t())
