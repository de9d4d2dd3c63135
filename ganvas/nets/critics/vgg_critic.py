"""A critic in the style of VGG, for whole pictures. Ledig et al. 2017 (SRGAN), figure 4, as in BasicSR.

Pairs of convolutions with batch norm, of which the second halves the size, down to about 4x4; then two dense layers.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import prod

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ...configuration import config
from ...core import CriticOutput, Spec
from ..layers.labels import ImageShape, check_widths, read_image_grid
from ..layers.unit_range import to_unit_range
from .critic_design import join_conditions

MAX_DOUBLINGS = 3  # of the width: 64 next to the image, then 128, 256, 512, 512, …


class NormedHalving(nn.Sequential):
    """3x3 convolution, batch norm, LeakyReLU; then a 4x4 convolution that halves the size, and both again.

    The first block of the network has no norm after its first convolution.
    """

    def __init__(self, inputs: int, outputs: int, is_first: bool) -> None:
        start = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=is_first), *([] if is_first else [nn.BatchNorm2d(outputs)])]
        end = [nn.Conv2d(outputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs)]
        super().__init__(*start, nn.LeakyReLU(0.2, inplace=True), *end, nn.LeakyReLU(0.2, inplace=True))


class Discriminator(nn.Module):
    """x [N, C, H, W], conditions by name -> CriticOutput with a logit for each picture.

    seen_channels: the channels of each condition that it sees.
    widths: channels of the blocks, from the image inwards.
    grid: H and W after all halvings.
    """

    def __init__(
        self, channels: int, seen_channels: Mapping[str, int], widths: list[int], grid: tuple[int, int], hidden: int
    ) -> None:
        super().__init__()
        self.sees = tuple(seen_channels)
        inputs = sum(seen_channels.values()) + channels
        self.blocks = nn.Sequential(*(NormedHalving(i, o, k == 0) for k, (i, o) in enumerate(pairwise([inputs, *widths]))))
        self.dense, self.last = nn.Linear(widths[-1] * prod(grid), hidden), nn.Linear(hidden, 1)

    def forward(self, x: Tensor, **conditions: Tensor) -> CriticOutput:
        h = self.blocks(join_conditions(to_unit_range(x), conditions, self.sees))
        features = leaky_relu(self.dense(h.flatten(1)), 0.2)
        return CriticOutput(self.last(features).squeeze(1), features)


@config
class VGGCritic:
    """Pictures whose sides are multiples of 8 px.

    width: channels next to the image; they double inwards up to eight times as many.
    hidden: numbers between the two dense layers.
    """

    width: int = 64
    hidden: int = 100

    def __post_init__(self) -> None:
        check_widths(width=self.width, hidden=self.hidden)

    def build_critic(self, x: ImageShape, seen_channels: Mapping[str, int]) -> Discriminator:
        _, grid, halvings = read_image_grid(Spec(x, (), {}), "VGGCritic")
        widths = [self.width * 2 ** min(k, MAX_DOUBLINGS) for k in range(halvings)]
        return Discriminator(x[0], seen_channels, widths, grid, self.hidden)

    def smallest(self) -> "VGGCritic":
        return replace(self, width=2, hidden=2)
