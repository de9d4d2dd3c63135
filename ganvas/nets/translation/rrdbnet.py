"""RRDBNet, the generator of ESRGAN and Real-ESRGAN. Wang et al. 2018, section 3.1; Wang et al. 2021, section 3.3.

Dense blocks in residual blocks, without norms. For scales below 4 the source's pixels move into channels first (pixel
unshuffle), so that most of the work is done at a quarter of the output's size.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ...configuration import config
from ...errors import require
from ..layers.labels import ImageShape, check_widths
from ..layers.unit_range import from_unit_range, to_unit_range
from .msrresnet import shrink_he_weights
from .source_generator import SourceGenerator

RESIDUAL_WEIGHT = 0.2  # of each residual, section 3.1: "residual scaling"
DENSE_LAYERS = 5  # convolutions in a dense block
BODY_SCALE = 4  # enlargement after the body


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the outputs of all those before it; the last one's is the residual."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        outputs = [growth] * (DENSE_LAYERS - 1) + [width]
        self.layers = nn.ModuleList(nn.Conv2d(width + k * growth, count, 3, padding=1) for k, count in enumerate(outputs))
        shrink_he_weights(self.layers)

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers[:-1]:
            features.append(leaky_relu(layer(torch.cat(features, 1)), 0.2, inplace=True))
        return x + RESIDUAL_WEIGHT * self.layers[-1](torch.cat(features, 1))


class ResidualDenseBlock(nn.Module):
    """Residual in residual: three dense blocks, and a shortcut around them. Figure 4."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return x + RESIDUAL_WEIGHT * self.blocks(x)


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1] -> x [N, C', H·scale, W·scale], unbounded; inside, pictures lie in [0, 1]."""

    output_at_zero = -1.0

    def __init__(self, source_channels: int, channels: int, width: int, growth: int, blocks: int, scale: int) -> None:
        super().__init__()
        self.scale, self.multiple = scale, BODY_SCALE // scale
        self.fold, self.doubling = nn.PixelUnshuffle(self.multiple), nn.Upsample(scale_factor=2)
        self.first = nn.Conv2d(source_channels * self.multiple**2, width, 3, padding=1)
        self.body = nn.Sequential(
            *(ResidualDenseBlock(width, growth) for _ in range(blocks)), nn.Conv2d(width, width, 3, padding=1)
        )
        self.ups = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.even, self.last = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, channels, 3, padding=1)

    @property
    def path(self) -> Iterable[nn.Module]:
        doublings = [layer for up in self.ups for layer in (self.doubling, up)]
        return (self.fold, self.first, self.body, *doublings, self.even, self.last)

    def forward(self, source: Tensor) -> Tensor:
        self.check_source(source)
        h = self.first(self.fold(to_unit_range(source)))
        h = h + self.body(h)
        for up in self.ups:
            h = leaky_relu(up(self.doubling(h)), 0.2, inplace=True)
        return from_unit_range(self.last(leaky_relu(self.even(h), 0.2, inplace=True)))


@config
class RRDBNet:
    """Pictures `scale` times the size of their sources.

    growth: channels that each convolution of a dense block adds.
    """

    width: int = 64
    growth: int = 32
    blocks: int = 23
    scale: Literal[1, 2, 4] = 4

    def __post_init__(self) -> None:
        check_widths(width=self.width, growth=self.growth, blocks=self.blocks)
        require(self.scale in (1, 2, 4), "scale", self.scale, "1, 2 or 4")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        return Generator(source[0], channels, self.width, self.growth, self.blocks, self.scale)

    def smallest(self) -> "RRDBNet":
        return replace(self, width=2, growth=2, blocks=1)
