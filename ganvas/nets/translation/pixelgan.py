"""A critic of single pixels: it sees colours and nothing else. Isola et al. 2017, section 6.1.2 (PixelGAN)."""

from dataclasses import replace

from torch import Tensor, nn

from ...configuration import config
from ...core import CriticOutput
from ..layers.instance_norm import Norm, build_norm, initialise_translation_weights, needs_bias
from ..layers.labels import check_widths
from .patchgan import join_source
from .translator import ImageShape


class Discriminator(nn.Module):
    """x [N, C, H, W], and the source [N, C', H, W] of a critic of pairs -> CriticOutput with logits [N, 1, H, W]."""

    def __init__(self, channels: int, source_channels: int, width: int, norm: Norm) -> None:
        super().__init__()
        self.takes_source = source_channels > 0
        self.first = nn.Conv2d(source_channels + channels, width, 1)
        self.second = nn.Conv2d(width, 2 * width, 1, bias=needs_bias(norm))
        self.norm = build_norm(norm, 2 * width)
        self.last = nn.Conv2d(2 * width, 1, 1, bias=needs_bias(norm))

    def forward(self, x: Tensor, source: Tensor | None = None) -> CriticOutput:
        h = nn.functional.leaky_relu(self.first(join_source(x, source, self.takes_source)), 0.2)
        h = nn.functional.leaky_relu(self.norm(self.second(h)), 0.2)
        return CriticOutput(self.last(h), h.mean((2, 3)))


@config
class PixelGAN:
    """A critic whose logits see a pixel each."""

    width: int = 64
    norm: Norm = "batch"

    def __post_init__(self) -> None:
        check_widths(width=self.width)

    def build_critic(self, x: ImageShape, source_channels: int) -> Discriminator:
        D = Discriminator(x[0], source_channels, self.width, self.norm)
        initialise_translation_weights(D, self.norm)
        return D

    def smallest(self) -> "PixelGAN":
        return replace(self, width=2)
