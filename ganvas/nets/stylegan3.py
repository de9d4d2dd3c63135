"""StyleGAN3. Karras et al. 2021: every layer treats its features as samples of a continuous signal, without aliasing.

Configuration T is equivariant to translation; R, with 1x1 convolutions and radial filters, to rotation as well. D is
StyleGAN2's. The paper's CUDA kernels only add speed; here layers are resampled with the framework's convolutions.
"""

from dataclasses import replace
from math import ceil, exp2, log2, pi
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.functional import leaky_relu

from ..configuration import config
from ..core import Spec
from ..errors import require
from ..resampling import design_lowpass, downsample_by_filter, upsample_by_filter
from .layers.equalised import HE_GAIN, EqualisedLinear
from .layers.labels import check_widths, count_classes, read_image_levels
from .layers.style import MappingNetwork, StyleGenerator
from .progan import compute_progressive_widths
from .stylegan2 import Discriminator, check_label_mapping

MARGIN_PIXELS = 10  # pixels around the image, so that no border leaks into it
FIRST_CUTOFF, FIRST_STOP = 2.0, 2**2.1  # band limits of the coarsest layer
CRITICAL_LAYERS = 2  # the last layers, with the band limit of the image
TAPS_PER_FACTOR = 6  # a filter has so many times its resampling factor
HALF_LIFE_SAMPLES = 20_000  # of the moving average of a layer's magnitude


class Band(NamedTuple):
    """A layer's signal: sampling rate (pixels across the image), cutoff, and half the width of the transition."""

    rate: float
    cutoff: float
    half_width: float
    size: int  # pixels, with the margin
    channels: int


def compute_bands(size: int, layers: int, base: int, max_width: int, channels: int) -> list[Band]:
    """The bands of all layers; the last layer makes the image. Appendix F, eq. 11: cutoffs and stops rise geometrically."""
    last_cutoff = size / 2
    last_stop = last_cutoff * 2**0.3
    layer_bands: list[Band] = []
    for k in range(layers + 1):
        progress = min(1.0, k / (layers - CRITICAL_LAYERS))
        cutoff = FIRST_CUTOFF * (last_cutoff / FIRST_CUTOFF) ** progress
        stop = FIRST_STOP * (last_stop / FIRST_STOP) ** progress
        rate = exp2(ceil(log2(min(2 * stop, size))))
        padded_size = size if k >= layers - 1 else int(rate) + 2 * MARGIN_PIXELS
        width = channels if k == layers else max(1, round(min(base / 2 / cutoff, max_width)))
        layer_bands.append(Band(rate, cutoff, max(stop, rate / 2) - cutoff, padded_size, width))
    return layer_bands


class FourierInput(nn.Module):
    """w [N, w_dim] -> [N, C, size, size]: plane waves within the band, rotated and shifted by the style. Section 3."""

    frequencies: Tensor
    phases: Tensor
    transform: Tensor  # [3, 3], for users to set: it moves the whole image

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
        self.pose = EqualisedLinear(w_dim, 4)
        with torch.no_grad():
            self.pose.weight.zero_()
            self.pose.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))

    def forward(self, w: Tensor) -> Tensor:
        with torch.autocast(w.device.type, enabled=False):  # positions and frequencies need full precision
            return self.compute_waves(w)

    def compute_waves(self, w: Tensor) -> Tensor:
        pose = self.pose(w)
        cosine, sine, right, down = (pose / pose[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
        rotation = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1).view(-1, 3, 3)
        translation = torch.stack([one, zero, -right, zero, one, -down, zero, zero, one], 1).view(-1, 3, 3)
        matrix = rotation @ translation @ self.transform  # the image is rotated first, then shifted
        phases = self.phases + (self.frequencies @ matrix[:, :2, 2:]).squeeze(2)  # [N, C]
        frequencies = self.frequencies @ matrix[:, :2, :2]  # [N, C, 2]
        transition_width = self.band.rate / 2 - self.band.cutoff
        strength = (1 - (frequencies.norm(dim=2) - self.band.cutoff) / transition_width).clamp(
            0, 1
        )  # waves beyond the band fade
        size = self.band.size
        positions = ((torch.arange(size, device=w.device) + 0.5) / size - 0.5) * size / self.band.rate
        grid = torch.stack(torch.meshgrid(positions, positions, indexing="xy"), 2)  # [size, size, 2], right and down
        waves = torch.sin(2 * pi * (grid.flatten(0, 1) @ frequencies.transpose(1, 2) + phases[:, None]))
        x = (waves * strength[:, None]) @ (self.weight / self.band.channels**0.5).t()
        return x.transpose(1, 2).unflatten(2, (size, size))


class AliasFreeLayer(nn.Module):
    """Style, convolution, and between two filters LeakyReLU at twice the rate. Figure 4b."""

    magnitude: Tensor
    up: Tensor | None
    down: Tensor | None

    def __init__(
        self, w_dim: int, input_band: Band, output_band: Band, kernel: int, is_image_layer: bool, is_radial: bool
    ) -> None:
        super().__init__()
        self.input_band, self.output_band, self.is_image_layer = input_band, output_band, is_image_layer
        self.style = EqualisedLinear(w_dim, input_band.channels, bias=1.0)
        self.weight = nn.Parameter(torch.randn(output_band.channels, input_band.channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(output_band.channels))
        self.register_buffer("magnitude", torch.ones(()))
        rate = max(input_band.rate, output_band.rate) * (1 if is_image_layer else 2)
        self.up_factor, self.down_factor = round(rate / input_band.rate), round(rate / output_band.rate)
        up_taps, down_taps = (
            (1 if is_image_layer or factor == 1 else TAPS_PER_FACTOR * factor) for factor in (self.up_factor, self.down_factor)
        )
        self.register_buffer(
            "up", design_lowpass(up_taps, input_band.cutoff, 2 * input_band.half_width, rate) if up_taps > 1 else None
        )
        self.register_buffer(
            "down",
            design_lowpass(down_taps, output_band.cutoff, 2 * output_band.half_width, rate, is_radial)
            if down_taps > 1
            else None,
        )
        total_padding = (
            (output_band.size - 1) * self.down_factor
            + 1
            - (input_band.size + kernel - 1) * self.up_factor
            + up_taps
            + down_taps
            - 2
        )
        self.padding = ((total_padding + self.up_factor) // 2, total_padding - (total_padding + self.up_factor) // 2)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        if self.training and not torch.is_grad_enabled():  # in D's step, so once per sample
            self.magnitude.lerp_(x.float().square().mean(), 1 - 0.5 ** (len(x) / HALF_LIFE_SAMPLES))
        x = self.convolve_features(x, self.style(w))
        if self.up is not None:
            x = upsample_by_filter(x, self.up, self.up_factor, self.padding)
        else:
            x = F.pad(x, (*self.padding, *self.padding))
        if not self.is_image_layer:
            x = leaky_relu(x, 0.2, inplace=True)
        x = F.hardtanh(x, -256.0, 256.0)
        return x if self.down is None else downsample_by_filter(x, self.down, self.down_factor)

    def convolve_features(self, x: Tensor, s: Tensor) -> Tensor:
        """A modulated convolution over the features' usual magnitude; demodulated in all layers but the image's.

        As in StyleGAN2 one set of weights serves all samples. Weights and styles are scaled to size 1 first, so that their
        product cannot overflow in half precision. LeakyReLU's √2 is applied here, where features are smallest; LeakyReLU and
        the filters after it commute with scaling."""
        weight, bias = self.weight, self.bias
        if self.is_image_layer:
            s = s * weight[0].numel() ** -0.5
            gain = self.magnitude.rsqrt()
        else:
            weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
            s = s * s.square().mean().rsqrt()
            power = s.square() @ weight.square().sum((2, 3)).t()
            gain = ((power + 1e-8).rsqrt() * self.magnitude.rsqrt() * HE_GAIN)[:, :, None, None]
            bias = bias * HE_GAIN
        x = F.conv2d(x * s[:, :, None, None], weight, padding=weight.shape[2] - 1)
        return torch.addcmul(bias[:, None, None].to(x.dtype), x, gain.to(x.dtype))


class Generator(StyleGenerator):
    """z [N, z_dim], label [N], truncation [N] -> x [N, C, S, S], unbounded."""

    has_feature_statistics = True  # it measures its magnitudes when it runs without gradients

    def __init__(
        self, mapping: MappingNetwork, w_dim: int, layer_bands: list[Band], kernel: int, is_radial: bool, mixing: float
    ) -> None:
        super().__init__(mapping, mixing)
        self.layer_count = len(layer_bands) + 1
        self.input = FourierInput(w_dim, layer_bands[0])
        last_index = len(layer_bands) - 1
        self.body = nn.ModuleList(
            AliasFreeLayer(
                w_dim,
                layer_bands[max(0, k - 1)],
                band,
                1 if k == last_index else kernel,
                is_image_layer=k == last_index,
                is_radial=is_radial and k < last_index - CRITICAL_LAYERS,
            )
            for k, band in enumerate(layer_bands)
        )

    def render_styles(self, ws: Tensor) -> Tensor:
        """ws [N, layers, w_dim] -> x."""
        styles = ws.unbind(1)
        x = self.input(styles[0])
        for layer, w in zip(self.body, styles[1:], strict=True):
            x = layer(x, w)
        return x * 0.25


@config
class StyleGAN3:
    """From 8 px up. A layer's channels are `base` over twice its cutoff, at most `width`; D's are as in StyleGAN2.

    rotation: equivariance to rotation, too (configuration R): 1x1 convolutions with twice as many channels.
    d_mapping: layers of D's mapping of labels, as in StyleGAN2.
    d_w_dim: numbers that D compares with a label, as in StyleGAN2.
    """

    z_dim: int = 512
    w_dim: int = 512
    mapping: int = 2  # layers from z to w
    layers: int = 14
    width: int = 512
    base: int = 32768
    d_width: int = 512
    d_base: int = 16384
    rotation: bool = False
    labels: bool = True
    d_mapping: int | None = None
    d_w_dim: int | None = None

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, w_dim=self.w_dim, mapping=self.mapping, width=self.width, base=self.base)
        check_widths(d_width=self.d_width, d_base=self.d_base)
        check_label_mapping(self.d_mapping, self.d_w_dim)
        require(4 <= self.layers <= 64, "layers", self.layers, "from 4 to 64")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "StyleGAN3")
        classes, width_factor = count_classes(spec) if self.labels else 0, 2 if self.rotation else 1
        layer_bands = compute_bands(spec.shape[1], self.layers, self.base * width_factor, self.width * width_factor, channels)
        mapping = MappingNetwork(self.z_dim, self.w_dim, self.mapping, classes, mean_decay=0.998)
        G = Generator(mapping, self.w_dim, layer_bands, 1 if self.rotation else 3, self.rotation, mixing=0.0)
        discriminator_widths = compute_progressive_widths(self.d_width, self.d_base, levels)
        label_width, label_layers = self.d_w_dim or self.w_dim, self.d_mapping or self.mapping
        D = Discriminator(discriminator_widths, channels, classes, label_width, label_layers)
        return nn.ModuleDict({"G": G, "D": D})

    def smallest(self) -> "StyleGAN3":
        return replace(self, z_dim=2, w_dim=2, mapping=1, layers=4, width=2, d_width=2, d_mapping=None, d_w_dim=None)
