"""The compact generator of Real-ESRGAN's small models (SRVGGNetCompact): a plain row of convolutions, quick everywhere.

All of them work at the source's size. The last one makes the pixels of the output as channels, and the source, its pixels
repeated, is added. Wang et al. 2021 (Real-ESRGAN), the authors' later models.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from ...configuration import config
from ...core import Spec
from ...errors import require
from ..layers.labels import check_widths
from ..layers.reach import measure_reach, see_by_convolution, see_by_repeating
from .source_generator import SourceGenerator, from_unit_range, require_same_channels, to_unit_range

MAX_SCALE = 8


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1] -> x [N, C, H·scale, W·scale], unbounded; inside, pictures lie in [0, 1].

    layers: convolutions between the first and the last.
    """

    def __init__(self, channels: int, width: int, layers: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        row: list[nn.Module] = []
        for inputs in (channels, *[width] * layers):
            row += [nn.Conv2d(inputs, width, 3, padding=1), nn.PReLU(width)]
        self.layers = nn.Sequential(*row, nn.Conv2d(width, channels * scale**2, 3, padding=1))
        self.reach = measure_reach([*[see_by_convolution(3)] * (layers + 2), see_by_repeating(scale)], scale, 1)

    def forward(self, source: Tensor) -> Tensor:
        source = to_unit_range(source)
        details = pixel_shuffle(self.layers(source), self.scale)
        return from_unit_range(details + interpolate(source, scale_factor=self.scale, mode="nearest"))


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

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels = require_same_channels(spec, "SRVGG", self.scale, 1)
        return nn.ModuleDict({"G": Generator(channels, self.width, self.layers, self.scale)})

    def smallest(self) -> "SRVGG":
        return replace(self, width=2, layers=1)
