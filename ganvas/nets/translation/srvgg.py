"""The compact generator of Real-ESRGAN's small models (SRVGGNetCompact): a plain row of convolutions, quick everywhere.

All of them work at the source's size. The last one makes the pixels of the output as channels, and the source, its pixels
repeated, is added. Wang et al. 2021 (Real-ESRGAN), the authors' later models.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn.functional import interpolate

from ...configuration import config
from ...errors import require
from ..layers.labels import ImageShape, check_widths
from ..layers.unit_range import from_unit_range, to_unit_range
from .source_generator import SourceGenerator, check_same_channels

MAX_SCALE = 8


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1] -> x [N, C, H·scale, W·scale], unbounded; inside, pictures lie in [0, 1].

    layers: convolutions between the first and the last.
    """

    output_at_zero = None

    def __init__(self, channels: int, width: int, layers: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        row: list[nn.Module] = []
        for inputs in (channels, *[width] * layers):
            row += [nn.Conv2d(inputs, width, 3, padding=1), nn.PReLU(width)]
        self.layers = nn.Sequential(*row, nn.Conv2d(width, channels * scale**2, 3, padding=1), nn.PixelShuffle(scale))

    def forward(self, source: Tensor) -> Tensor:
        source = to_unit_range(source)
        return from_unit_range(self.layers(source) + interpolate(source, scale_factor=self.scale, mode="nearest"))


@config
class SRVGG:
    """Pictures `scale` times the size of their sources, with as many channels.

    layers: convolutions between the first and the last: 16 for films, 32 for photographs.
    """

    width: int = 64
    layers: int = 16
    scale: int = 4

    def __post_init__(self) -> None:
        check_widths(width=self.width, layers=self.layers)
        require(1 <= self.scale <= MAX_SCALE, "scale", self.scale, f"from 1 to {MAX_SCALE}")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        check_same_channels(source, channels, "SRVGG")
        return Generator(channels, self.width, self.layers, self.scale)

    def smallest(self) -> "SRVGG":
        return replace(self, width=2, layers=1)
