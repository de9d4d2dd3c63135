"""A critic of patches: each logit sees a square of the image, so it judges texture. Isola et al. 2017, section 3.2.2."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from ...configuration import config
from ...core import CriticOutput
from ...errors import GanvasError, require
from ..layers.antialiasing import BlurredHalving
from ..layers.instance_norm import Norm, build_norm, initialise_translation_weights, needs_bias
from ..layers.labels import ImageShape, check_widths
from .critic_design import join_conditions

MAX_WIDENING = 8  # no layer is wider than this many times the first


class Discriminator(nn.Module):
    """x [N, C, H, W], conditions by name -> CriticOutput with logits [N, 1, H/2^layers - 2, …].

    Features are averaged over places.

    seen_channels: the channels of each condition that it sees.
    """

    def __init__(
        self, channels: int, seen_channels: Mapping[str, int], width: int, layers: int, norm: Norm, is_antialiased: bool
    ) -> None:
        super().__init__()
        self.sees = tuple(seen_channels)
        widths = [width * min(MAX_WIDENING, 2**k) for k in range(layers + 1)]
        blocks: list[nn.Module] = []
        inputs = sum(seen_channels.values()) + channels
        for k, outputs in enumerate(widths):
            is_halving = k < layers
            stride = 2 if is_halving and not is_antialiased else 1
            block: list[nn.Module] = [nn.Conv2d(inputs, outputs, 4, stride, 1, bias=k == 0 or needs_bias(norm))]
            block += [build_norm(norm, outputs)] if k else []
            block.append(nn.LeakyReLU(0.2, inplace=True))
            block += [BlurredHalving()] if is_halving and is_antialiased else []
            blocks.append(nn.Sequential(*block))
            inputs = outputs
        self.blocks, self.last = nn.Sequential(*blocks), nn.Conv2d(inputs, 1, 4, padding=1)

    def forward(self, x: Tensor, **conditions: Tensor) -> CriticOutput:
        h = self.blocks(join_conditions(x, conditions, self.sees))
        return CriticOutput(self.last(h), h.mean((2, 3)))


@config
class PatchGAN:
    """A critic whose logits see 70 px each with 3 layers, 34 px with 2, 16 px with 1.

    norm: "batch" in pix2pix, "instance" in CycleGAN and CUT. Gradient penalties are per sample: no "batch" with them.
    antialiased: blur before each halving, as CUT does.
    """

    width: int = 64  # channels of the first layer; they double, up to eight times as many
    layers: int = 3  # that halve the size
    norm: Norm = "instance"
    antialiased: bool = False

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        require(1 <= self.layers <= 16, "layers", self.layers, "from 1 to 16")

    def build_critic(self, x: ImageShape, seen_channels: Mapping[str, int]) -> Discriminator:
        channels, height, width = x
        if min(height, width) >> self.layers < 3:
            raise GanvasError(
                f"PatchGAN with {self.layers} layers takes images from {3 * 2**self.layers} px, got {width}x{height} "
                "(width x height): take fewer layers, or larger images"
            )
        D = Discriminator(channels, seen_channels, self.width, self.layers, self.norm, self.antialiased)
        initialise_translation_weights(D, self.norm)
        return D

    def smallest(self) -> "PatchGAN":
        return replace(self, width=2, layers=1)
