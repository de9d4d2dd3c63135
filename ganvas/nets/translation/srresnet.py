"""SRResNet, the generator of SRGAN. Ledig et al. 2017, section 2.1 and figure 4.

Residual blocks with batch norm at the size of the source, then one pixel shuffle for each doubling. Convolutions before a batch
norm have no bias: the norm would take it away.
"""

from dataclasses import replace
from typing import Literal

from torch import Tensor, nn

from ...configuration import config
from ...errors import require
from ..layers.labels import ImageShape, check_widths
from ..layers.unit_range import to_unit_range
from .source_generator import SourceGenerator


def build_normed_conv(width: int) -> list[nn.Module]:
    return [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)]


class NormedResidual(nn.Module):
    """Convolution, batch norm, PReLU, convolution, batch norm; added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*build_normed_conv(width), nn.PReLU(), *build_normed_conv(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Generator(SourceGenerator):
    """source [N, C, H, W] -> x [N, C', H·2^doublings, W·2^doublings], unbounded; inside, sources lie in [0, 1]."""

    def __init__(self, source_channels: int, channels: int, width: int, blocks: int, doublings: int) -> None:
        super().__init__()
        self.scale = 2**doublings
        self.first = nn.Sequential(nn.Conv2d(source_channels, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(NormedResidual(width) for _ in range(blocks)), *build_normed_conv(width))
        ups: list[nn.Module] = []
        for _ in range(doublings):
            ups += [nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
        self.ups, self.last = nn.Sequential(*ups), nn.Conv2d(width, channels, 9, padding=4)

    def forward(self, source: Tensor) -> Tensor:
        h = self.first(to_unit_range(source))
        return self.last(self.ups(h + self.body(h)))


@config
class SRResNet:
    """Pictures `scale` times the size of their sources."""

    width: int = 64
    blocks: int = 16
    scale: Literal[1, 2, 4, 8] = 4

    def __post_init__(self) -> None:
        check_widths(width=self.width, blocks=self.blocks)
        require(self.scale in (1, 2, 4, 8), "scale", self.scale, "1, 2, 4 or 8")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        return Generator(source[0], channels, self.width, self.blocks, self.scale.bit_length() - 1)

    def smallest(self) -> "SRResNet":
        return replace(self, width=2, blocks=1)
