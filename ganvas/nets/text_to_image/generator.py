"""Pictures from a text."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core import GeneratorNetwork
from ..layers.doubling import double_and_convolve
from .reader import TextReader, WordAttention

ATTENDING_SIDES = (8, 16)  # px: at these sizes places look at the words


class ConditionedNorm(nn.Module):
    """Batch norm whose gain and bias follow from a vector [N, size]. De Vries et al. 2017."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.norm, self.change = nn.BatchNorm2d(width, affine=False), nn.Linear(size, 2 * width)
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, bias = self.change(condition).to(x.dtype)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(bias, self.norm(x), 1 + gain)


class TextDoubling(nn.Module):
    """Twice the size: each pixel repeated, a 3x3 convolution, a norm by z and text, LeakyReLU; perhaps a look at the words."""

    def __init__(self, inputs: int, outputs: int, condition: int, attention: WordAttention | None) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), ConditionedNorm(outputs, condition)
        self.attention = attention

    def forward(self, x: Tensor, condition: Tensor, text: Tensor) -> Tensor:
        h = F.leaky_relu(self.norm(double_and_convolve(x, self.conv.weight), condition), 0.2)
        return h if self.attention is None else self.attention(h, text)


class TextGenerator(GeneratorNetwork):
    """z [N, z_dim], text [N, 1 + L, size + 1] -> x [N, C, H, W] in [-1, 1].

    widths: channels at each size, the smallest `grid` first, where half of twice as many gate the others.
    word_size: numbers of a word that places look at; 0: none looks.
    """

    conditions = ("text",)

    def __init__(
        self, z_dim: int, widths: Sequence[int], channels: int, grid: tuple[int, int], reader: TextReader, word_size: int
    ) -> None:
        super().__init__()
        self.z_dim, self.grid = z_dim, grid
        self.reader = reader
        condition = z_dim + reader.width
        self.first = nn.Linear(condition, 2 * widths[0] * prod(grid))
        self.norm = ConditionedNorm(2 * widths[0], condition)
        sides = [min(grid) * 2**k for k in range(1, len(widths))]
        self.doublings = nn.ModuleList(
            TextDoubling(
                inputs, outputs, condition, WordAttention(outputs, word_size) if word_size and side in ATTENDING_SIDES else None
            )
            for (inputs, outputs), side in zip(pairwise(widths), sides, strict=True)
        )
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor, text: Tensor) -> Tensor:
        condition = torch.cat([z, self.reader(text)], 1)
        h = self.first(condition).unflatten(1, (-1, *self.grid)).contiguous(memory_format=torch.channels_last)
        h = F.glu(self.norm(h, condition), 1)
        for doubling in self.doublings:
            h = doubling(h, condition, text)
        return self.last(h).tanh()
