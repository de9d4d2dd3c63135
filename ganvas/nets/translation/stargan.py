"""StarGAN: one generator for many domains, told the wanted class or attributes. Choi et al. 2018, appendix, tables 4 and 5.

The label enters G as planes beside the source's channels. D judges patches, and tells the label from its last features.
"""

from dataclasses import replace
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import Condition, CriticOutput, Spec
from ...errors import GanvasError, require
from ..layers.instance_norm import InstanceNorm
from ..layers.labels import check_widths, read_image_shape
from ..wrappers.conditioning import encode_label_vectors, require_labels
from .source_generator import SOURCE, SourceGenerator, check_scale, check_sides, read_source_shape

G_LEVELS = 2  # halvings in G
MAX_D_LEVELS = 10


class ScaledResidual(nn.Module):
    """Convolution, instance norm with weights, ReLU, convolution, norm; added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(InstanceNorm(width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norms[1](self.second(self.norms[0](self.first(x)).relu()))


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1], label [N] or [N, K], as wanted -> x [N, C', H, W] in [-1, 1]."""

    conditions, multiple = ("source", "label"), 2**G_LEVELS

    def __init__(self, source_channels: int, channels: int, label: Condition, width: int, blocks: int) -> None:
        super().__init__()
        self.label, inner = label, width * 2**G_LEVELS
        layers: list[nn.Module] = [nn.Conv2d(source_channels + label.size, width, 7, 1, 3, bias=False)]
        layers += [InstanceNorm(width), nn.ReLU(inplace=True)]
        for k in range(G_LEVELS):
            layers += [nn.Conv2d(width * 2**k, width * 2 ** (k + 1), 4, 2, 1, bias=False)]
            layers += [InstanceNorm(width * 2 ** (k + 1)), nn.ReLU(inplace=True)]
        layers += [ScaledResidual(inner) for _ in range(blocks)]
        for k in range(G_LEVELS, 0, -1):
            layers += [nn.ConvTranspose2d(width * 2**k, width * 2 ** (k - 1), 4, 2, 1, bias=False)]
            layers += [InstanceNorm(width * 2 ** (k - 1)), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 7, 1, 3, bias=False), nn.Tanh())

    @property
    def smallest_side(self) -> int:
        return 2 * self.multiple

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        self.check_source(source)
        planes = encode_label_vectors(label, self.label).to(source.dtype)[:, :, None, None]
        return self.layers(torch.cat([source, planes.expand(-1, -1, *source.shape[2:])], 1))


class Discriminator(nn.Module):
    """x [N, C, H, W] -> CriticOutput with logits [N, 1, h, w]. `classify` maps its features to logits of the label [N, K].

    It does not look at the source or the label. `grid` is (h, w), H and W after the halvings.
    """

    def __init__(self, channels: int, classes: int, width: int, levels: int, grid: tuple[int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        widths = [width * 2**k for k in range(levels)]
        for inputs, outputs in pairwise([channels, *widths]):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.01, inplace=True)]
        self.layers, self.last = nn.Sequential(*layers), nn.Conv2d(widths[-1], 1, 3, 1, 1, bias=False)
        self.classify = nn.Linear(widths[-1] * prod(grid), classes, bias=False)

    def forward(self, x: Tensor, **conditions: Tensor) -> CriticOutput:
        h = self.layers(x)
        return CriticOutput(self.last(h), h.contiguous().flatten(1))


@config
class StarGAN:
    """{"G": source, label -> x, "D": a critic of x that tells its label}, for pictures with classes or attributes.

    Sides are multiples of 4 px and of 2^d_levels px. If the data has no sources, samples are sources.
    width, blocks: G's channels next to the image, and its residual blocks.
    d_width, d_levels: D's channels after its first halving, and its halvings.
    """

    width: int = 64
    blocks: int = 6
    d_width: int = 64
    d_levels: int = 6

    def __post_init__(self) -> None:
        check_widths(width=self.width, blocks=self.blocks, d_width=self.d_width)
        require(1 <= self.d_levels <= MAX_D_LEVELS, "d_levels", self.d_levels, f"from 1 to {MAX_D_LEVELS}")

    def build(self, spec: Spec) -> nn.ModuleDict:
        x, label = read_image_shape(spec, "StarGAN"), require_labels(spec)
        source = read_source_shape(spec, "StarGAN") if SOURCE in spec.conditions else x
        G = Generator(source[0], x[0], label, self.width, self.blocks)
        check_sides(G, source[1], source[2], "StarGAN")
        check_scale(G, source, x, "StarGAN")
        channels, height, width = x
        step = 2**self.d_levels
        if height % step or width % step:
            raise GanvasError(
                f"StarGAN's D halves {width}x{height} pictures {self.d_levels} times, but they are no multiples of {step} px: "
                "resize the data, by setting the medium's `size`, or set fewer `d_levels`"
            )
        D = Discriminator(channels, label.size, self.d_width, self.d_levels, (height // step, width // step))
        return nn.ModuleDict({"G": G, "D": D})

    def smallest(self) -> "StarGAN":
        return replace(self, width=2, blocks=1, d_width=2, d_levels=1)
