"""StyleGAN. Karras et al. 2019, section 2: Progressive GAN's synthesis from a constant, driven by styles and noise.

The sixth configuration of their table 1 (F): bilinear resampling, AdaIN, noise at every layer, mixing. It grows as
Progressive GAN does, whose D it plays against.
"""

from dataclasses import replace
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ..configuration import config
from ..core import Spec
from ..errors import refuse
from ..resampling import double_size, halve_size
from .layers.equalised import HE_GAIN, EqualisedConv, EqualisedLinear
from .layers.labels import check_widths, read_image_levels
from .layers.style import MappingNetwork, StyleGenerator
from .progan import Discriminator, compute_progressive_widths, fade_in


class AdaIN(nn.Module):
    """Noise, bias, LeakyReLU, and statistics that a style says (AdaIN, eq. 1): x [N, C, H, W], w [N, w_dim] -> like x."""

    still: Tensor  # noise for samples that are to come out the same

    def __init__(self, width: int, w_dim: int, size: int) -> None:
        super().__init__()
        self.strength, self.bias = nn.Parameter(torch.zeros(width, 1, 1)), nn.Parameter(torch.zeros(width, 1, 1))
        self.style = EqualisedLinear(w_dim, 2 * width)
        self.register_buffer("still", torch.randn(size, size))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        noise = torch.randn(len(x), 1, *x.shape[2:], dtype=x.dtype, device=x.device) if self.training else self.still
        x = leaky_relu(x + self.strength * noise + self.bias, 0.2)
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        gain, bias = self.style(w)[:, :, None, None].chunk(2, 1)
        return (x - mean) * ((variance + 1e-8).rsqrt() * (1 + gain)) + bias


class UpBlock(nn.Module):
    """[N, inputs, H, W] and the styles of two layers -> [N, outputs, 2H, 2W]."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, size: int) -> None:
        super().__init__()
        self.first, self.second = (
            EqualisedConv(inputs, outputs, 3, HE_GAIN, has_bias=False),
            EqualisedConv(outputs, outputs, 3, HE_GAIN, has_bias=False),
        )
        self.adapt = nn.ModuleList(AdaIN(outputs, w_dim, size) for _ in range(2))

    def forward(self, x: Tensor, first_style: Tensor, second_style: Tensor) -> Tensor:
        x = self.adapt[0](self.first(double_size(x)), first_style)
        return self.adapt[1](self.second(x), second_style)


class Generator(StyleGenerator):
    """z [N, z_dim], truncation [N] -> x [N, C, 4·2^⌈depth⌉, …], of no bounds; `widths` are the channels from 4 px up."""

    def __init__(self, mapping: MappingNetwork, w_dim: int, widths: list[int], channels: int, mixing: float) -> None:
        super().__init__(mapping, mixing)
        self.levels = len(widths) - 1
        self.depth = float(self.levels)  # what is grown so far: the method's to say
        self.start = nn.Parameter(torch.ones(widths[0], 4, 4))
        self.even = EqualisedConv(widths[0], widths[0], 3, HE_GAIN, has_bias=False)
        self.adapt = nn.ModuleList(AdaIN(widths[0], w_dim, 4) for _ in range(2))
        self.blocks = nn.ModuleList(UpBlock(i, o, w_dim, 8 * 2**k) for k, (i, o) in enumerate(pairwise(widths)))
        self.to_image = nn.ModuleList(EqualisedConv(width, channels, 1) for width in widths)

    @property
    def layer_count(self) -> int:  # type: ignore[override]  # as many as are grown
        return 2 * (ceil(self.depth) + 1)

    def render_styles(self, ws: Tensor) -> Tensor:
        """ws [N, layers, w_dim] -> x."""
        level, styles = ceil(self.depth), ws.unbind(1)
        h = self.adapt[0](self.start.expand(ws.shape[0], -1, -1, -1), styles[0])
        h = previous = self.adapt[1](self.even(h), styles[1])
        for k, block in enumerate(list(self.blocks)[:level]):
            previous, h = h, block(h, styles[2 * k + 2], styles[2 * k + 3])
        x = self.to_image[level](h)
        return x if self.depth == level else fade_in(double_size(self.to_image[level - 1](previous)), x, self.depth)


@config
class StyleGAN:
    """From 8 px up, by the method Progressive; `base` over the size are the channels, at most `width`."""

    z_dim: int = 512
    w_dim: int = 512
    mapping: int = 8  # layers
    width: int = 512
    base: int = 16384
    mixing: float = 0.9

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, w_dim=self.w_dim, mapping=self.mapping, width=self.width, base=self.base)
        refuse(not 0 <= self.mixing <= 1, "nets.mixing", self.mixing, "between 0 and 1", "--nets.mixing 0.9")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "StyleGAN")
        layer_widths = compute_progressive_widths(self.width, self.base, levels)
        G = Generator(MappingNetwork(self.z_dim, self.w_dim, self.mapping), self.w_dim, layer_widths, channels, self.mixing)
        return nn.ModuleDict({"G": G, "D": Discriminator(layer_widths, channels, halve_size)})

    def smallest(self) -> "StyleGAN":
        return replace(self, z_dim=2, w_dim=2, mapping=1, width=2)
