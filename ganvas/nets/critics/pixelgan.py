"""A critic of single pixels: it sees colours and nothing else. Isola et al. 2017, section 6.1.2 (PixelGAN)."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from ...configuration import config
from ...core import CriticOutput
from ..layers.instance_norm import Norm, build_norm, initialise_translation_weights, needs_bias
from ..layers.labels import ImageShape, check_widths
from .critic_design import join_conditions


class Discriminator(nn.Module):
    """x [N, C, H, W], conditions by name -> CriticOutput with logits [N, 1, H, W].

    seen_channels: the channels of each condition that it sees.
    """

    def __init__(self, channels: int, seen_channels: Mapping[str, int], width: int, norm: Norm) -> None:
        super().__init__()
        self.sees = tuple(seen_channels)
        self.first = nn.Conv2d(sum(seen_channels.values()) + channels, width, 1)
        self.second = nn.Conv2d(width, 2 * width, 1, bias=needs_bias(norm))
        self.norm = build_norm(norm, 2 * width)
        self.last = nn.Conv2d(2 * width, 1, 1, bias=needs_bias(norm))

    def forward(self, x: Tensor, **conditions: Tensor) -> CriticOutput:
        h = nn.functional.leaky_relu(self.first(join_conditions(x, conditions, self.sees)), 0.2)
        h = nn.functional.leaky_relu(self.norm(self.second(h)), 0.2)
        return CriticOutput(self.last(h), h.mean((2, 3)))


@config
class PixelGAN:
    """A critic whose logits see a pixel each."""

    width: int = 64
    norm: Norm = "batch"

    def __post_init__(self) -> None:
        check_widths(width=self.width)

    def build_critic(self, x: ImageShape, seen_channels: Mapping[str, int]) -> Discriminator:
        D = Discriminator(x[0], seen_channels, self.width, self.norm)
        initialise_translation_weights(D, self.norm)
        return D

    def smallest(self) -> "PixelGAN":
        return replace(self, width=2)
