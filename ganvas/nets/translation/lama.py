"""LaMa: fills holes of any size, because every layer of its body sees the whole picture. Suvorov et al. 2022.

Strided convolutions, residual blocks of fast Fourier convolutions, transposed convolutions (appendix A). The source without its
hole and the mask go in.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...configuration import config
from ...errors import require
from ..layers.fourier import FourierConv, FourierResidual, TwoPartMap, join_parts
from ..layers.labels import ImageShape, check_widths
from ..layers.reflected import build_reflected_conv
from ..layers.unit_range import from_unit_range, to_unit_range
from .source_generator import SourceGenerator, check_same_channels

MAX_LEVELS = 6


def hide_hole(source: Tensor, mask: Tensor) -> Tensor:
    """source [N, C, H, W] in [-1, 1] and mask [N, 1, H, W], 1 in the hole -> [N, C + 1, H, W] in [0, 1], 0 in the hole."""
    mask = mask.to(source.dtype)
    return torch.cat([to_unit_range(source) * (1 - mask), mask], 1)


def split_channels(width: int, global_share: float) -> tuple[int, int]:
    """(local, global) channels."""
    far = round(width * global_share)
    return width - far, far


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1], mask [N, 1, H, W], 1 in the hole -> x like source, in [-1, 1].

    It makes all pixels anew, the known ones too: take those from the source.
    """

    conditions = ("source", "mask")

    def __init__(self, channels: int, width: int, levels: int, blocks: int, global_share: float) -> None:
        super().__init__()
        self.multiple = 2**levels
        widths = [(width * 2**k, 0) for k in range(levels + 1)]
        widths[-1] = split_channels(width * 2**levels, global_share)
        self.first = FourierConv((channels + 1, 0), widths[0], 7)
        self.downs = nn.Sequential(*(FourierConv(widths[k], widths[k + 1], 3, 2) for k in range(levels)))
        self.body = nn.Sequential(*(FourierResidual(widths[-1]) for _ in range(blocks)))
        ups: list[nn.Module] = []
        for inputs, outputs in ((width * 2**k, width * 2 ** (k - 1)) for k in range(levels, 0, -1)):
            ups += [nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.ups, self.last = nn.Sequential(*ups), build_reflected_conv(width, channels, 7)

    @property
    def smallest_side(self) -> int:
        return 2 * self.multiple

    def forward(self, source: Tensor, mask: Tensor) -> Tensor:
        self.check_source(source)
        h = self.body(self.downs(self.first(TwoPartMap(hide_hole(source, mask), None))))
        return from_unit_range(self.last(self.ups(join_parts(h))).sigmoid())


@config
class LaMa:
    """Pictures whose sides are multiples of 2^levels px, filled where a mask is 1.

    width: channels next to the image; they double inwards.
    levels: halvings before the body.
    global_share: share of the body's channels that see the whole picture.
    """

    width: int = 64
    levels: int = 3
    blocks: int = 9
    global_share: float = 0.75

    def __post_init__(self) -> None:
        check_widths(width=self.width, blocks=self.blocks)
        require(1 <= self.levels <= MAX_LEVELS, "levels", self.levels, f"from 1 to {MAX_LEVELS}")
        inner_width = self.width * 2**self.levels
        is_mixed = all(0 < part < inner_width for part in split_channels(inner_width, self.global_share))
        require(is_mixed, "global_share", self.global_share, "above 0 and below 1, with a channel for each part")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        check_same_channels(source, channels, "LaMa")
        return Generator(channels, self.width, self.levels, self.blocks, self.global_share)

    def smallest(self) -> "LaMa":
        return replace(self, width=2, levels=1, blocks=1, global_share=0.5)
