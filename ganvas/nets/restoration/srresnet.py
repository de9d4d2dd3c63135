"""SRResNet, the generator of SRGAN. Ledig et al. 2017, section 2.1 and figure 4.

Residual blocks with batch norm at the size of the source, then one pixel shuffle for each doubling. Convolutions before a batch
norm have no bias: the norm would take it away.
"""

from dataclasses import replace
from typing import Literal

from torch import Tensor, nn

from ...configuration import config
from ...core import Spec
from ...errors import require
from ..layers.labels import check_widths
from ..layers.reach import Sight, measure_reach, see_by_convolution, see_by_repeating
from .source_generator import SourceGenerator, read_source_shape, to_unit_range


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
        see_3, see_9 = see_by_convolution(3), see_by_convolution(9)
        up_sights: list[Sight] = [see_3, see_by_repeating(2)] * doublings
        self.reach = measure_reach([see_9, *[see_3] * (2 * blocks + 1), *up_sights, see_9], self.scale, 1)

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

    def build(self, spec: Spec) -> nn.ModuleDict:
        shape = read_source_shape(spec, "SRResNet", self.scale, 1)
        doublings = self.scale.bit_length() - 1
        return nn.ModuleDict({"G": Generator(shape.source_channels, shape.channels, self.width, self.blocks, doublings)})

    def smallest(self) -> "SRResNet":
        return replace(self, width=2, blocks=1)
