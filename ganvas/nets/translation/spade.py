"""SPADE: a generator that reads a map of labels at every size, to scale and shift its features. Park et al. 2019 (GauGAN).

Written from the paper alone: figures 10 to 12 in appendix A. The map, shrunk, is the first layer's input, too; the paper's
table 4 finds that as good as random numbers, and so a map has one result. The learnt skip is a 1x1 convolution, as in Mescheder
et al. 2018, whose blocks the paper follows.
"""

from collections.abc import Iterable
from dataclasses import replace

from torch import Tensor, nn

from ...configuration import config
from ...errors import require
from ..layers.instance_norm import Norm
from ..layers.labels import ImageShape, check_widths
from ..layers.spatial_modulation import SpatialModulation, initialise_modulated_weights
from .source_generator import SourceGenerator

MAX_LEVELS = 8
MAX_WIDENING = 16  # no level is wider than this many times the largest


class SpatiallyModulatedConv(nn.Module):
    """x [N, inputs, h, w], map -> [N, outputs, h, w]: modulation, ReLU, convolution. The skip has no ReLU."""

    def __init__(
        self, inputs: int, outputs: int, map_channels: int, hidden: int, shrinking: int, norm: Norm, is_skip: bool = False
    ) -> None:
        super().__init__()
        self.modulate = SpatialModulation(inputs, map_channels, hidden, shrinking, norm)
        self.activate = nn.Identity() if is_skip else nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False) if is_skip else nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor, label_map: Tensor) -> Tensor:
        return self.conv(self.activate(self.modulate(x, label_map)))


class SpatiallyModulatedResidual(nn.Module):
    """Two modulated convolutions, added to the input; the skip is learnt if the width changes. Figure 11."""

    def __init__(self, inputs: int, outputs: int, map_channels: int, hidden: int, shrinking: int, norm: Norm) -> None:
        super().__init__()
        settings = (map_channels, hidden, shrinking, norm)
        self.first = SpatiallyModulatedConv(inputs, outputs, *settings)
        self.second = SpatiallyModulatedConv(outputs, outputs, *settings)
        self.skip = None if inputs == outputs else SpatiallyModulatedConv(inputs, outputs, *settings, is_skip=True)

    def forward(self, x: Tensor, label_map: Tensor) -> Tensor:
        change = self.second(self.first(x, label_map), label_map)
        return change + (x if self.skip is None else self.skip(x, label_map))


class Generator(SourceGenerator):
    """source, a map of labels [N, K, H, W], one-hot, or a picture -> x [N, C, H, W] in [-1, 1]. Figure 12.

    Level 0 is the largest size; there are `levels` doublings up to it.
    """

    def __init__(self, map_channels: int, channels: int, width: int, levels: int, hidden: int, norm: Norm) -> None:
        super().__init__()
        self.multiple = 2**levels
        widths = [width * min(MAX_WIDENING, 2**level) for level in range(levels, -1, -1)]
        self.shrink = nn.AvgPool2d(1, self.multiple)
        self.first = nn.Conv2d(map_channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            SpatiallyModulatedResidual(widths[max(0, k - 1)], outputs, map_channels, hidden, 2 ** (levels - k), norm)
            for k, outputs in enumerate(widths)
        )
        self.enlarge = nn.Upsample(scale_factor=2)
        self.activate, self.last = nn.LeakyReLU(0.2), nn.Conv2d(width, channels, 3, padding=1)

    @property
    def smallest_side(self) -> int:
        return 2 * self.multiple

    @property
    def path(self) -> Iterable[nn.Module]:
        """By the first block's modulation: two more convolutions at the smallest size."""
        first, *others = self.blocks
        assert isinstance(first, SpatiallyModulatedResidual)
        modulate = first.first.modulate
        layers = [modulate.shrink, modulate.shared, modulate.gamma, first.first.conv, first.second.conv]
        for block in others:
            assert isinstance(block, SpatiallyModulatedResidual)
            layers += [self.enlarge, block.first.conv, block.second.conv]
        return (*layers, self.last)

    def forward(self, source: Tensor) -> Tensor:
        self.check_source(source)
        h = self.first(self.shrink(source))
        for k, block in enumerate(self.blocks):
            h = block(self.enlarge(h) if k else h, source)
        return self.last(self.activate(h)).tanh()


@config
class SPADE:
    """Pictures from maps of labels, or from pictures, whose sides are multiples of 2^levels px.

    width: channels at full size; they double inwards, up to sixteen times as many.
    levels: doublings; 6 begin 256 px at 4 px.
    hidden: channels between the map, and the scales and offsets that it gives.
    norm: "batch" in the paper, without weights of its own.
    """

    width: int = 64
    levels: int = 6
    hidden: int = 128
    norm: Norm = "batch"

    def __post_init__(self) -> None:
        check_widths(width=self.width, hidden=self.hidden)
        require(1 <= self.levels <= MAX_LEVELS, "levels", self.levels, f"from 1 to {MAX_LEVELS}")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        G = Generator(source[0], channels, self.width, self.levels, self.hidden, self.norm)
        initialise_modulated_weights(G)
        return G

    def smallest(self) -> "SPADE":
        return replace(self, width=2, levels=1, hidden=2)
