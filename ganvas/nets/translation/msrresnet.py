"""SRResNet without batch norm, which adds details to the bilinear enlargement. Wang et al. 2018 (ESRGAN), as in BasicSR.

Batch norm brings artefacts where training and test pictures differ (section 3.1). Inside residual blocks there is ReLU, outside
LeakyReLU with slope 0.1.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, relu

from ...configuration import config
from ...errors import require
from ..layers.labels import ImageShape, check_widths
from ..layers.unit_range import from_unit_range, to_unit_range
from .source_generator import SourceGenerator, check_same_channels

SHUFFLE_FACTORS = {1: (), 2: (2,), 3: (3,), 4: (2, 2)}  # by scale: the pixel shuffles
OUTER_SLOPE = 0.1  # of LeakyReLU outside the residual blocks


@torch.no_grad()
def shrink_he_weights(layers: Iterable[nn.Module], factor: float = 0.1) -> None:
    """He's initialisation times a factor, and no biases: residual networks without norms start near the identity.

    Wang et al. 2018, section 3.1, "smaller initialization".
    """
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight).mul_(factor)
            if layer.bias is not None:
                layer.bias.zero_()


class PlainResidual(nn.Module):
    """Convolution, ReLU, convolution; added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(relu(self.first(x), inplace=True))


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1] -> x [N, C, H·scale, W·scale], unbounded; inside, pictures lie in [0, 1]."""

    output_at_zero = None

    def __init__(self, channels: int, width: int, blocks: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.body = nn.Sequential(*(PlainResidual(width) for _ in range(blocks)))
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width * factor**2, 3, padding=1), nn.PixelShuffle(factor))
            for factor in SHUFFLE_FACTORS[scale]
        )
        self.even, self.last = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, channels, 3, padding=1)
        shrink_he_weights(self.modules())

    def forward(self, source: Tensor) -> Tensor:
        source = to_unit_range(source)
        h = self.body(leaky_relu(self.first(source), OUTER_SLOPE, inplace=True))
        for up in self.ups:
            h = leaky_relu(up(h), OUTER_SLOPE, inplace=True)
        details = self.last(leaky_relu(self.even(h), OUTER_SLOPE, inplace=True))
        if self.scale > 1:
            source = interpolate(source, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return from_unit_range(details + source)


@config
class MSRResNet:
    """Pictures `scale` times the size of their sources, with as many channels."""

    width: int = 64
    blocks: int = 16
    scale: Literal[1, 2, 3, 4] = 4

    def __post_init__(self) -> None:
        check_widths(width=self.width, blocks=self.blocks)
        require(self.scale in SHUFFLE_FACTORS, "scale", self.scale, "1, 2, 3 or 4")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        check_same_channels(source, channels, "MSRResNet")
        return Generator(channels, self.width, self.blocks, self.scale)

    def smallest(self) -> "MSRResNet":
        return replace(self, width=2, blocks=1)
