"""A small inpainting network of gated convolutions, which learn where a map is valid. Yu et al. 2019, section 3.2.

The layout is the coarse network of Yu et al. 2018 (appendix A): two halvings, dilated convolutions, two doublings; no norms.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn.functional import elu

from ...configuration import config
from ...errors import require
from ..layers.labels import ImageShape, check_widths
from ..layers.unit_range import from_unit_range
from .lama import hide_hole
from .source_generator import SourceGenerator, check_same_channels

MULTIPLE = 4  # two halvings
MAX_DILATION = 256


class GatedConv(nn.Module):
    """x [N, inputs, H, W] -> [N, outputs, …]: ELU of half the channels times a sigmoid of the others, eq. 3."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, 2 * outputs, kernel, stride, padding, dilation)

    def forward(self, x: Tensor) -> Tensor:
        features, gates = self.conv(x).chunk(2, 1)
        return elu(features) * gates.sigmoid()


class GatedDoubling(nn.Sequential):
    """Twice the size, by repeating pixels; then two gated convolutions."""

    def __init__(self, inputs: int, outputs: int, last: int) -> None:
        super().__init__(nn.Upsample(scale_factor=2), GatedConv(inputs, outputs), GatedConv(outputs, last))


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1], mask [N, 1, H, W], 1 in the hole -> x like source, in [-1, 1].

    It makes all pixels anew, the known ones too: take those from the source.
    """

    conditions, multiple = ("source", "mask"), MULTIPLE

    def __init__(self, channels: int, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        half, inner = max(1, width // 2), 4 * width
        self.downs = nn.Sequential(
            GatedConv(channels + 1, width, 5),
            GatedConv(width, 2 * width, stride=2),
            GatedConv(2 * width, 2 * width),
            GatedConv(2 * width, inner, stride=2),
        )
        middle = (1, 1, *dilations, 1, 1)
        self.body = nn.Sequential(*(GatedConv(inner, inner, dilation=dilation) for dilation in middle))
        self.ups = nn.Sequential(GatedDoubling(inner, 2 * width, 2 * width), GatedDoubling(2 * width, width, half))
        self.last = nn.Conv2d(half, channels, 3, padding=1)

    def forward(self, source: Tensor, mask: Tensor) -> Tensor:
        self.check_source(source)
        h = self.ups(self.body(self.downs(hide_hole(source, mask))))
        return from_unit_range(self.last(h).sigmoid())


@config
class GatedInpainting:
    """Pictures whose sides are multiples of 4 px, filled where a mask is 1.

    width: channels next to the image, four times as many inside.
    dilations: of the convolutions that see far, at a quarter of the size.
    """

    width: int = 32
    dilations: tuple[int, ...] = (2, 4, 8, 16)

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        is_valid = all(1 <= dilation <= MAX_DILATION for dilation in self.dilations)
        require(is_valid, "dilations", self.dilations, f"from 1 to {MAX_DILATION} each")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        check_same_channels(source, channels, "GatedInpainting")
        return Generator(channels, self.width, self.dilations)

    def smallest(self) -> "GatedInpainting":
        return replace(self, width=2, dilations=(2,))
