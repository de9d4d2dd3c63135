"""StyleGAN3. Karras et al. 2021: every layer treats its features as samples of a continuous signal, and aliases none of it.

Configuration T is equivariant to translation; R, with 1x1 convolutions and radial filters, to rotation as well. D is
StyleGAN2's. The paper's CUDA kernels are speed alone: here a layer is resampled with the framework's convolutions.
"""

from dataclasses import replace
from math import ceil, exp2, log2, pi
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.functional import leaky_relu

from ..config import config
from ..core import Spec
from ..errors import refuse
from ..resampling import downsampled, lowpass, upsampled
from .layers.equalised import HE, Linear
from .layers.labels import check_widths, classes_of, image_levels
from .layers.style import Mapping, Styled
from .progan import widths
from .stylegan2 import Discriminator

MARGIN = 10  # pixels around the image, from which nothing leaks into it
FIRST_CUTOFF, FIRST_STOP = 2.0, 2**2.1  # of the coarsest layer
CRITICAL = 2  # last layers at the image's own band limit
TAPS = 6  # a filter's, times its factor
HALF_LIFE = 20_000  # samples, of the features' magnitude


class Band(NamedTuple):
    """A layer's signal: the sampling rate (pixels across the image), what passes, the width of the transition's half."""

    rate: float
    cutoff: float
    half: float
    size: int  # pixels, with the margin
    channels: int


def bands(size: int, layers: int, base: int, most: int, channels: int) -> list[Band]:
    """Of all layers, the last of which makes the image. Appendix F, eq. 11: cutoffs and stops rise geometrically."""
    last_cutoff = size / 2
    last_stop = last_cutoff * 2**0.3
    found: list[Band] = []
    for k in range(layers + 1):
        way = min(1.0, k / (layers - CRITICAL))
        cutoff = FIRST_CUTOFF * (last_cutoff / FIRST_CUTOFF) ** way
        stop = FIRST_STOP * (last_stop / FIRST_STOP) ** way
        rate = exp2(ceil(log2(min(2 * stop, size))))
        wide = size if k >= layers - 1 else int(rate) + 2 * MARGIN
        width = channels if k == layers else max(1, round(min(base / 2 / cutoff, most)))
        found.append(Band(rate, cutoff, max(stop, rate / 2) - cutoff, wide, width))
    return found


class FourierInput(nn.Module):
    """w [N, w_dim] -> [N, C, size, size]: plane waves within the band, turned and moved as the style says. Section 3."""

    frequencies: Tensor
    phases: Tensor
    transform: Tensor  # a person's own, [3, 3], on top: it moves the whole image

    def __init__(self, w_dim: int, band: Band) -> None:
        super().__init__()
        self.band = band
        frequencies = torch.randn(band.channels, 2)
        radii = frequencies.square().sum(1, keepdim=True).sqrt()
        frequencies = frequencies / (radii * radii.square().exp() ** 0.25)  # uniform within a disc
        self.register_buffer("frequencies", frequencies * band.cutoff)
        self.register_buffer("phases", torch.rand(band.channels) - 0.5)
        self.register_buffer("transform", torch.eye(3))
        self.weight = nn.Parameter(torch.randn(band.channels, band.channels))
        self.pose = Linear(w_dim, 4)
        with torch.no_grad():
            self.pose.weight.zero_()
            self.pose.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))

    def forward(self, w: Tensor) -> Tensor:
        with torch.autocast(w.device.type, enabled=False):  # places and frequencies want all their digits
            return self.waves(w)

    def waves(self, w: Tensor) -> Tensor:
        pose = self.pose(w)
        cosine, sine, right, down = (pose / pose[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
        turn = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1).view(-1, 3, 3)
        move = torch.stack([one, zero, -right, zero, one, -down, zero, zero, one], 1).view(-1, 3, 3)
        matrix = turn @ move @ self.transform  # first the image is turned, then moved
        phases = self.phases + (self.frequencies @ matrix[:, :2, 2:]).squeeze(2)  # [N, C]
        frequencies = self.frequencies @ matrix[:, :2, :2]  # [N, C, 2]
        room = self.band.rate / 2 - self.band.cutoff
        strength = (1 - (frequencies.norm(dim=2) - self.band.cutoff) / room).clamp(0, 1)  # those beyond the band fade
        size = self.band.size
        place = ((torch.arange(size, device=w.device) + 0.5) / size - 0.5) * size / self.band.rate
        grid = torch.stack(torch.meshgrid(place, place, indexing="xy"), 2)  # [size, size, 2], right and down
        waves = torch.sin(2 * pi * (grid.flatten(0, 1) @ frequencies.transpose(1, 2) + phases[:, None]))
        x = (waves * strength[:, None]) @ (self.weight / self.band.channels**0.5).t()
        return x.transpose(1, 2).unflatten(2, (size, size))


class Layer(nn.Module):
    """Style, convolution, and LeakyReLU at twice the rate between two filters. Figure 4b."""

    magnitude: Tensor
    up: Tensor | None
    down: Tensor | None

    def __init__(self, w_dim: int, before: Band, after: Band, kernel: int, image: bool, radial: bool) -> None:
        super().__init__()
        self.before, self.after, self.image = before, after, image
        self.style = Linear(w_dim, before.channels, bias=1.0)
        self.weight = nn.Parameter(torch.randn(after.channels, before.channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after.channels))
        self.register_buffer("magnitude", torch.ones(()))
        rate = max(before.rate, after.rate) * (1 if image else 2)
        self.upward, self.downward = round(rate / before.rate), round(rate / after.rate)
        up, down = ((1 if image or factor == 1 else TAPS * factor) for factor in (self.upward, self.downward))
        self.register_buffer("up", lowpass(up, before.cutoff, 2 * before.half, rate) if up > 1 else None)
        self.register_buffer("down", lowpass(down, after.cutoff, 2 * after.half, rate, radial) if down > 1 else None)
        total = (after.size - 1) * self.downward + 1 - (before.size + kernel - 1) * self.upward + up + down - 2
        self.padding = ((total + self.upward) // 2, total - (total + self.upward) // 2)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        if self.training and not torch.is_grad_enabled():  # in D's turn, once a sample
            self.magnitude.lerp_(x.float().square().mean(), 1 - 0.5 ** (len(x) / HALF_LIFE))
        x = self.convolved(x, self.style(w))
        if self.up is not None:
            x = upsampled(x, self.up, self.upward, self.padding)
        else:
            x = F.pad(x, (*self.padding, *self.padding))
        if not self.image:
            x = leaky_relu(x, 0.2, inplace=True)
        x = F.hardtanh(x, -256.0, 256.0)
        return x if self.down is None else downsampled(x, self.down, self.downward)

    def convolved(self, x: Tensor, s: Tensor) -> Tensor:
        """Modulated and, but for the image, demodulated; over the features' usual magnitude. As in StyleGAN2, of one set of
        weights: weights and styles are brought to size 1 first, so that their product cannot overflow in half precision.

        LeakyReLU's √2 is here, where features are smallest: all behind it is linear or, as LeakyReLU, does not mind."""
        weight, bias = self.weight, self.bias
        if self.image:
            s = s * weight[0].numel() ** -0.5
            gain = self.magnitude.rsqrt()
        else:
            weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
            s = s * s.square().mean().rsqrt()
            power = s.square() @ weight.square().sum((2, 3)).t()
            gain = ((power + 1e-8).rsqrt() * self.magnitude.rsqrt() * HE)[:, :, None, None]
            bias = bias * HE
        x = F.conv2d(x * s[:, :, None, None], weight, padding=weight.shape[2] - 1)
        return torch.addcmul(bias[:, None, None].to(x.dtype), x, gain.to(x.dtype))


class Generator(Styled):
    """z [N, z_dim], label [N], truncation [N] -> x [N, C, S, S], of no bounds."""

    measures = True  # its features' magnitudes, where it runs without gradients

    def __init__(self, mapping: Mapping, w_dim: int, found: list[Band], kernel: int, radial: bool, mixing: float) -> None:
        super().__init__(mapping, mixing)
        self.layers = len(found) + 1
        self.input = FourierInput(w_dim, found[0])
        count = len(found) - 1
        self.body = nn.ModuleList(
            Layer(
                w_dim,
                found[max(0, k - 1)],
                band,
                1 if k == count else kernel,
                image=k == count,
                radial=radial and k < count - CRITICAL,
            )
            for k, band in enumerate(found)
        )

    def synthesis(self, ws: Tensor) -> Tensor:
        """ws [N, layers, w_dim] -> x."""
        styles = ws.unbind(1)
        x = self.input(styles[0])
        for layer, w in zip(self.body, styles[1:], strict=True):
            x = layer(x, w)
        return x * 0.25


@config
class StyleGAN3:
    """From 8 px up; `base` over twice a layer's cutoff are its channels, at most `width`. D's as in StyleGAN2.

    equivariance: to translation alone, or to rotation as well, with half as large filters of twice as many channels.
    """

    z_dim: int = 512
    w_dim: int = 512
    mapping: int = 2  # layers
    layers: int = 14
    width: int = 512
    base: int = 32768
    d_width: int = 512
    d_base: int = 16384
    rotation: bool = False
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, w_dim=self.w_dim, mapping=self.mapping, width=self.width, base=self.base)
        check_widths(d_width=self.d_width, d_base=self.d_base)
        refuse(not 4 <= self.layers <= 64, "nets.layers", self.layers, "between 4 and 64", "--nets.layers 14")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = image_levels(spec, "StyleGAN3")
        classes, twice = classes_of(spec) if self.labels else 0, 2 if self.rotation else 1
        found = bands(spec.shape[1], self.layers, self.base * twice, self.width * twice, channels)
        mapping = Mapping(self.z_dim, self.w_dim, self.mapping, classes, keep=0.998)
        G = Generator(mapping, self.w_dim, found, 1 if self.rotation else 3, self.rotation, mixing=0.0)
        sizes = widths(self.d_width, self.d_base, levels)
        return nn.ModuleDict({"G": G, "D": Discriminator(sizes, channels, classes, self.w_dim, self.mapping)})

    def smallest(self) -> "StyleGAN3":
        return replace(self, z_dim=2, w_dim=2, mapping=1, layers=4, width=2, d_width=2)
