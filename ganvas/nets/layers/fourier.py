"""Fast Fourier convolutions: part of the channels sees the whole picture at once. Chi et al. 2020, section 3.

A map has two parts, local and global. An ordinary convolution leads from each part to each other, but from global to global
leads a transform of the spectrum, where a 1x1 convolution mixes every place with every other.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from .reflected import build_reflected_conv


class TwoPartMap(NamedTuple):
    """A feature map in two parts; a part without channels is None."""

    near: Tensor | None  # [N, local channels, H, W]
    far: Tensor | None  # [N, global channels, H, W]


class FourierUnit(nn.Module):
    """x [N, C, H, W] -> the same shape: real FFT, 1x1 convolution, batch norm and ReLU on the spectrum, inverse FFT."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2 * width, 2 * width, 1, bias=False), nn.BatchNorm2d(2 * width)

    def forward(self, x: Tensor) -> Tensor:
        # half precision has no FFT of all sizes
        spectrum = torch.fft.rfft2(x.to(torch.promote_types(x.dtype, torch.float32)), norm="ortho")
        parts = torch.view_as_real(spectrum).movedim(4, 2).flatten(1, 2)  # [N, 2C, H, W//2 + 1]: real, imaginary, real, …
        parts = relu(self.norm(self.conv(parts)), inplace=True).to(spectrum.real.dtype)
        # a copy in any case: `contiguous` would leave it out of an export that is traced with another layout
        pairs = parts.unflatten(1, (-1, 2)).movedim(2, 4).clone(memory_format=torch.contiguous_format)
        spectrum = torch.view_as_complex(pairs)
        return torch.fft.irfft2(spectrum, x.shape[2:], norm="ortho").to(x.dtype)


class SpectralTransform(nn.Module):
    """x [N, inputs, H, W] -> [N, outputs, H, W]: half as many channels, plus what the Fourier unit makes of them. Figure 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        inner = max(1, outputs // 2)
        self.first, self.norm = nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.unit, self.last = FourierUnit(inner), nn.Conv2d(inner, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.norm(self.first(x)))
        return self.last(x + self.unit(x))


class FourierConv(nn.Module):
    """A fast Fourier convolution, batch norm and ReLU. Channels are (local, global), and 0 for a part that is missing."""

    def __init__(self, inputs: tuple[int, int], outputs: tuple[int, int], kernel: int, stride: int = 1) -> None:
        super().__init__()
        (near_in, far_in), (near_out, far_out) = inputs, outputs

        def build_path(start: int, end: int) -> nn.Module | None:
            return build_reflected_conv(start, end, kernel, stride, has_bias=False) if start and end else None

        self.near_to_near, self.near_to_far = build_path(near_in, near_out), build_path(near_in, far_out)
        self.far_to_near = build_path(far_in, near_out)
        self.far_to_far = SpectralTransform(far_in, far_out) if far_in and far_out else None
        self.near_norm = nn.BatchNorm2d(near_out) if near_out else None
        self.far_norm = nn.BatchNorm2d(far_out) if far_out else None

    def forward(self, x: TwoPartMap) -> TwoPartMap:
        near = add_paths((self.near_to_near, x.near), (self.far_to_near, x.far))
        far = add_paths((self.near_to_far, x.near), (self.far_to_far, x.far))
        return TwoPartMap(activate(self.near_norm, near), activate(self.far_norm, far))


def add_paths(*paths: tuple[nn.Module | None, Tensor | None]) -> Tensor | None:
    """The sum of what the paths make of their parts; None if there is none."""
    total: Tensor | None = None
    for layer, part in paths:
        if layer is not None and part is not None:
            total = layer(part) if total is None else total + layer(part)
    return total


def activate(norm: nn.Module | None, x: Tensor | None) -> Tensor | None:
    """Norm and ReLU of a part, if it is there."""
    return relu(norm(x), inplace=True) if norm is not None and x is not None else None


class FourierResidual(nn.Module):
    """Two fast Fourier convolutions; added to the input, part by part."""

    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        self.first, self.second = (FourierConv(channels, channels, 3) for _ in range(2))

    def forward(self, x: TwoPartMap) -> TwoPartMap:
        h = self.second(self.first(x))
        near, far = (a + b if a is not None and b is not None else None for a, b in zip(x, h, strict=True))
        return TwoPartMap(near, far)


def join_parts(x: TwoPartMap) -> Tensor:
    """Both parts as one map [N, C, H, W], the local one first."""
    return torch.cat([part for part in x if part is not None], 1)
