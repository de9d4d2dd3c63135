"""A U-Net as critic: a logit for every pixel, from its surroundings large and small. Schönfeld et al. 2020.

In the form of Real-ESRGAN (Wang et al. 2021, section 3.3): spectral norm, three halvings, bilinear doublings, added skips.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from ...configuration import config
from ...core import CriticOutput
from ...errors import GanvasError
from ..layers.labels import ImageShape, check_widths
from ..layers.spectral_norm import add_spectral_norm
from ..layers.unit_range import to_unit_range
from .critic_design import join_conditions

WIDTH_FACTORS = (1, 2, 4, 8)  # times `width`, from the image inwards
SIDE_MULTIPLE = 2 ** (len(WIDTH_FACTORS) - 1)


def build_plain_conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


class Discriminator(nn.Module):
    """x [N, C, H, W], conditions by name -> CriticOutput with logits [N, 1, H, W]; features are means over all places.

    seen_channels: the channels of each condition that it sees.
    has_skips: the way up also gets the features of the same size from the way down.
    """

    def __init__(self, channels: int, seen_channels: Mapping[str, int], width: int, has_skips: bool) -> None:
        super().__init__()
        self.has_skips, self.sees = has_skips, tuple(seen_channels)
        widths = [width * factor for factor in WIDTH_FACTORS]
        self.first = nn.Conv2d(sum(seen_channels.values()) + channels, width, 3, padding=1)
        self.downs = nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1, bias=False) for i, o in pairwise(widths))
        self.ups = nn.ModuleList(build_plain_conv(i, o) for i, o in pairwise(reversed(widths)))
        self.evens = nn.ModuleList(build_plain_conv(width, width) for _ in range(2))
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        # as in BasicSR, whose norm does not iterate in evaluation
        add_spectral_norm(self, excluded_layers=(self.first, self.last), iterates_in_evaluation=False)

    def forward(self, x: Tensor, **conditions: Tensor) -> CriticOutput:
        h = leaky_relu(self.first(join_conditions(to_unit_range(x), conditions, self.sees)), 0.2, inplace=True)
        skips: list[Tensor] = []
        for down in self.downs:
            skips.append(h)
            h = leaky_relu(down(h), 0.2, inplace=True)
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            h = interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
            h = leaky_relu(up(h), 0.2, inplace=True)
            h = h + skip if self.has_skips else h
        for even in self.evens:
            h = leaky_relu(even(h), 0.2, inplace=True)
        return CriticOutput(self.last(h), h.mean((2, 3)))


@config
class UNetCritic:
    """Pictures whose sides are multiples of 8 px."""

    width: int = 64
    has_skips: bool = True

    def __post_init__(self) -> None:
        check_widths(width=self.width)

    def build_critic(self, x: ImageShape, seen_channels: Mapping[str, int]) -> Discriminator:
        channels, height, width = x
        if height % SIDE_MULTIPLE or width % SIDE_MULTIPLE:
            raise GanvasError(
                f"UNetCritic takes images whose sides are multiples of {SIDE_MULTIPLE}, got {width}x{height} (width x height): "
                "resize the data, by setting the medium's `size`"
            )
        return Discriminator(channels, seen_channels, self.width, self.has_skips)

    def smallest(self) -> "UNetCritic":
        return replace(self, width=2)
