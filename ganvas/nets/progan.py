"""Progressive GAN. Karras et al. 2018, table 2 and appendix A.

Networks for all sizes from 4 px up, of which `depth` says how many are used: 2.3 is 8 px, and 16 px faded in by 0.3.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from .layers.equalised import HE_GAIN, EqualisedConv, EqualisedLinear, append_deviation, normalise_pixels
from .layers.labels import check_widths, read_image_levels

halve_by_pooling = partial(avg_pool2d, kernel_size=2)


def compute_progressive_widths(max_width: int, base: int, levels: int) -> list[int]:
    """Channels from 4 px up: `base` over the size, at most `most`."""
    return [min(max_width, max(1, base // (4 * 2**level))) for level in range(levels + 1)]


def enlarge_nearest(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="nearest")


def fade_in(old_path: Tensor, new_path: Tensor, depth: float) -> Tensor:
    """Between levels: from the old path to the new one as depth goes to the next whole number."""
    return torch.lerp(old_path, new_path, depth - ceil(depth) + 1)


class UpBlock(nn.Module):
    """[N, inputs, H, W] -> [N, outputs, 2H, 2W]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = EqualisedConv(inputs, outputs, 3, HE_GAIN), EqualisedConv(outputs, outputs, 3, HE_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        return apply_activation(self.second(apply_activation(self.first(enlarge_nearest(x)))))


def apply_activation(x: Tensor) -> Tensor:
    return normalise_pixels(leaky_relu(x, 0.2))


class Generator(GeneratorNetwork):
    """z [N, z_dim] -> x [N, C, 4·2^⌈depth⌉, …], of no bounds; `widths` are the channels from 4 px up."""

    def __init__(self, z_dim: int, widths: list[int], channels: int) -> None:
        super().__init__()
        self.z_dim, self.levels = z_dim, len(widths) - 1
        self.depth = float(self.levels)  # what is grown so far: the method's to say
        self.first = EqualisedLinear(z_dim, widths[0] * 16, HE_GAIN / 4)
        self.start = EqualisedConv(widths[0], widths[0], 3, HE_GAIN)
        self.blocks = nn.ModuleList(UpBlock(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.to_image = nn.ModuleList(EqualisedConv(width, channels, 1) for width in widths)

    def forward(self, z: Tensor) -> Tensor:
        level = ceil(self.depth)
        h = previous = apply_activation(self.start(apply_activation(self.first(normalise_pixels(z)).unflatten(1, (-1, 4, 4)))))
        for block in list(self.blocks)[:level]:
            previous, h = h, block(h)
        x = self.to_image[level](h)
        return x if self.depth == level else fade_in(enlarge_nearest(self.to_image[level - 1](previous)), x, self.depth)


class DownBlock(nn.Module):
    """[N, inputs, H, W] -> [N, outputs, H/2, W/2]."""

    def __init__(self, inputs: int, outputs: int, downsample: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.downsample = (
            EqualisedConv(inputs, inputs, 3, HE_GAIN),
            EqualisedConv(inputs, outputs, 3, HE_GAIN),
            downsample,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.downsample(leaky_relu(self.second(leaky_relu(self.first(x), 0.2)), 0.2))


class Discriminator(nn.Module):
    """x [N, C, 4·2^⌈depth⌉, …] -> Verdict; `widths` from 4 px up, `halved` how images lose half their size."""

    def __init__(self, widths: list[int], channels: int, downsample: Callable[[Tensor], Tensor] = halve_by_pooling) -> None:
        super().__init__()
        self.levels = len(widths) - 1
        self.depth = float(self.levels)
        self.from_image = nn.ModuleList(EqualisedConv(channels, width, 1, HE_GAIN) for width in widths)
        self.blocks = nn.ModuleList(DownBlock(inputs, outputs, downsample) for outputs, inputs in pairwise(widths))
        self.end = EqualisedConv(widths[0] + 1, widths[0], 3, HE_GAIN)
        self.dense, self.last = EqualisedLinear(widths[0] * 16, widths[0], HE_GAIN), EqualisedLinear(widths[0], 1)

    def forward(self, x: Tensor) -> CriticOutput:
        level = ceil(self.depth)
        h = leaky_relu(self.from_image[level](x), 0.2)
        for k in reversed(range(level)):
            h = self.blocks[k](h)
            if k == level - 1 and self.depth < level:
                h = fade_in(leaky_relu(self.from_image[k](avg_pool2d(x, 2)), 0.2), h, self.depth)
        h = leaky_relu(self.end(append_deviation(h)), 0.2)
        features = leaky_relu(self.dense(h.flatten(1)), 0.2)
        return CriticOutput(self.last(features).squeeze(1), features)


@config
class ProGAN:
    """From 8 px up; at `width` 512 and `base` 16384 table 2's widths: 512 up to 32 px, 256 at 64, halving from there."""

    z_dim: int = 512
    width: int = 512
    base: int = 16384

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, base=self.base)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "ProGAN")
        layer_widths = compute_progressive_widths(self.width, self.base, levels)
        return nn.ModuleDict({"G": Generator(self.z_dim, layer_widths, channels), "D": Discriminator(layer_widths, channels)})

    def smallest(self) -> "ProGAN":
        return replace(self, z_dim=2, width=2)
