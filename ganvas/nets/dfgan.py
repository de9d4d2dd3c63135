"""DF-GAN: pictures from a sentence, in one stage and without any norm. Tao et al. 2022 (Deep Fusion GAN).

Section 3.2: blocks of G that scale and shift features by the text, twice before each convolution. Section 3.3: a critic whose
one logit says whether a picture is real and shows what the sentence says. Widths and initial values follow the authors' code.
"""

from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from ..text import unpack_text
from .layers.doubling import double_and_convolve
from .layers.labels import check_widths, read_image_levels
from .text_to_image import require_texts

MAX_WIDENING = 8  # the widest layers have so many times the channels of the narrowest


class ConditionedAffine(nn.Module):
    """x [N, C, …], condition [N, size] -> x, each channel times a gain and plus a bias that follow from the condition.

    It starts as the identity.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.gain, self.bias = (self.build_layers(width, size, start) for start in (1.0, 0.0))

    @staticmethod
    def build_layers(width: int, size: int, start: float) -> nn.Sequential:
        last = nn.Linear(width, width)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, start)
        return nn.Sequential(nn.Linear(size, width), nn.ReLU(), last)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, bias = (layers(condition).to(x.dtype)[:, :, None, None] for layers in (self.gain, self.bias))
        return torch.addcmul(bias, x, gain)


class Fusion(nn.Module):
    """Affine, LeakyReLU, affine, LeakyReLU: what a text does to features. Figure 4c."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.affines = nn.ModuleList(ConditionedAffine(width, size) for _ in range(2))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        for affine in self.affines:
            x = F.leaky_relu(affine(x, condition), 0.2)
        return x


class UpBlock(nn.Module):
    """Twice the size, by repeated pixels; then fusion and convolution twice, beside a shortcut. Figure 4a."""

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__()
        self.first_fusion, self.first = Fusion(inputs, size), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second_fusion, self.second = Fusion(outputs, size), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """What acts on each pixel alone comes before the pixels are repeated: the same numbers, at a quarter of the work."""
        h = double_and_convolve(self.first_fusion(x, condition), self.first.weight)
        h = self.second(self.second_fusion(h + self.first.bias[:, None, None], condition))  # type: ignore[index]
        return h + F.interpolate(self.shortcut(x), scale_factor=2.0)


class Generator(GeneratorNetwork):
    """z [N, z_dim], text [N, 1 + L, size + 1] -> x [N, C, 4·2^levels, …]. It reads the sentence, and no words."""

    conditions = ("text",)

    def __init__(self, z_dim: int, width: int, levels: int, channels: int, sentence: int, bounded: bool = True) -> None:
        super().__init__()
        self.z_dim, self.bounded = z_dim, bounded
        widths = compute_widths(width, levels)[::-1]
        self.first = nn.Linear(z_dim, widths[0] * 16)
        self.blocks = nn.ModuleList(UpBlock(inputs, outputs, z_dim + sentence) for inputs, outputs in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor, text: Tensor) -> Tensor:
        condition = torch.cat([z, unpack_text(text).sentence], 1)
        h = self.first(z).unflatten(1, (-1, 4, 4)).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            h = block(h, condition)
        x = self.last(F.leaky_relu(h, 0.2))
        return x.tanh() if self.bounded else x


class DownBlock(nn.Module):
    """Half the size: a shortcut by the mean, and two convolutions whose weight in the sum starts at 0."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """The mean of 2x2 pixels comes before the 1x1 convolution: the same numbers, at a quarter of the work."""
        return self.shortcut(F.avg_pool2d(x, 2)) + self.weight * self.residual(x)


class Discriminator(nn.Module):
    """x [N, C, 4·2^levels, …], text [N, 1 + L, size + 1] -> CriticOutput. The sentence stands beside the features at 4 px."""

    def __init__(self, width: int, levels: int, channels: int, sentence: int) -> None:
        super().__init__()
        widths = compute_widths(width, levels)
        blocks = [DownBlock(inputs, outputs) for inputs, outputs in pairwise(widths)]
        self.layers = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), *blocks)
        self.joint = nn.Conv2d(widths[-1] + sentence, 2 * width, 3, padding=1, bias=False)
        self.last = nn.Conv2d(2 * width, 1, 4, bias=False)

    def forward(self, x: Tensor, text: Tensor) -> CriticOutput:
        h, sentence = self.layers(x), unpack_text(text).sentence
        plane = sentence.to(h.dtype)[:, :, None, None].expand(-1, -1, *h.shape[2:])
        h = F.leaky_relu(self.joint(torch.cat([h, plane], 1)), 0.2)
        return CriticOutput(self.last(h).flatten(), h.flatten(1))


def compute_widths(width: int, levels: int) -> list[int]:
    """Channels at each size from the image's down to 4 px: they double, up to eight times as many."""
    return [width * min(2**level, MAX_WIDENING) for level in range(levels + 1)]


@config
class DFGAN:
    """The paper's networks for square images of 8, 16, 32, … px. They read a caption's sentence, and no words.

    width: channels next to the image; they double inwards, up to eight times as many.
    bounded: G ends in a tanh, as in the paper. On white backgrounds it can saturate, and then G learns no more.
    """

    z_dim: int = 100
    width: int = 32
    bounded: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "DFGAN")
        sentence = require_texts(spec, "DFGAN").size
        G = Generator(self.z_dim, self.width, levels, channels, sentence, self.bounded)
        return nn.ModuleDict({"G": G, "D": Discriminator(self.width, levels, channels, sentence)})

    def smallest(self) -> "DFGAN":
        return replace(self, z_dim=2, width=2)
