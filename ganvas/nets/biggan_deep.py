"""BigGAN-deep: four times as deep at half the parameters. Brock et al. 2019, appendix B.

Blocks are bottlenecks: 1x1 to a quarter of the channels, two 3x3, 1x1 back. Shortcuts have no weights: G's drop the channels
that are too many, D's append what is missing. z is not split: all of it goes, with the class embedding, to every norm.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, relu

from ..config import config
from ..core import Spec
from .layers.labels import check_widths, classes_of, embedded, image_levels
from .layers.spectral_norm import spectral
from .residual import Attention, Discriminator, Norm, d_widths, doubled, g_widths, halvings, initialise, places

NARROW = 4  # times fewer channels within a block


def bottleneck(inputs: int, inner: int, outputs: int) -> nn.ModuleList:
    within = (nn.Conv2d(inner, inner, 3, 1, 1) for _ in range(2))
    return nn.ModuleList([nn.Conv2d(inputs, inner, 1), *within, nn.Conv2d(inner, outputs, 1)])


class UpBlock(nn.Module):
    """x [N, inputs, H, W], y [N, told] -> [N, outputs, …], twice the size if `upward`; outputs are at most the inputs."""

    def __init__(self, inputs: int, outputs: int, told: int, upward: bool) -> None:
        super().__init__()
        inner = max(1, inputs // NARROW)
        self.outputs, self.upward = outputs, upward
        self.norms = nn.ModuleList(Norm(width, told, 1e-5) for width in (inputs, inner, inner, inner))
        self.convolutions = bottleneck(inputs, inner, outputs)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = x
        for k, (norm, convolution) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            h = relu(norm(h, y), inplace=True)
            h = convolution(doubled(h) if self.upward and k == 1 else h)
        beside = x[:, : self.outputs]
        return h + (doubled(beside) if self.upward else beside)


class DownBlock(nn.Module):
    """x [N, inputs, H, W] -> [N, outputs, …], half the size if `halve`; outputs are at least the inputs."""

    def __init__(self, inputs: int, outputs: int, halve: bool) -> None:
        super().__init__()
        inner = max(1, outputs // NARROW)
        self.halve = halve
        self.convolutions = bottleneck(inputs, inner, outputs)
        self.appended = nn.Conv2d(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for k, convolution in enumerate(self.convolutions):
            h = relu(h, inplace=k > 0)  # x is wanted again
            h = convolution(avg_pool2d(h, 2) if self.halve and k == 3 else h)
        beside = avg_pool2d(x, 2) if self.halve else x
        return h + (beside if self.appended is None else torch.cat([beside, self.appended(beside)], 1))


class Generator(nn.Module):
    """z [N, z_dim], label int64 [N] or a mixture [N, K] where there are `classes` -> x [N, C, 4·2^levels, …] in [-1, 1].

    There are two blocks a size.
    """

    def __init__(
        self, z_dim: int, widths: list[int], channels: int, classes: int, shared: int, attend: Collection[int]
    ) -> None:
        super().__init__()
        self.z_dim, self.conditional = z_dim, classes > 0
        self.shared = nn.Embedding(classes, shared) if classes else None
        told = z_dim + (shared if classes else 0)
        self.first = nn.Linear(told, widths[0] * 16)
        self.blocks = nn.ModuleList()
        for inputs, outputs in pairwise(widths):
            self.blocks += [UpBlock(inputs, inputs, told, upward=False), UpBlock(inputs, outputs, told, upward=True)]
        self.attention = nn.ModuleDict({str(2 * k + 1): Attention(widths[k + 1]) for k in attend})
        self.norm, self.last = nn.BatchNorm2d(widths[-1]), nn.Conv2d(widths[-1], channels, 3, 1, 1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        y = z if self.shared is None or label is None else torch.cat([z, embedded(self.shared, label)], 1)
        h = self.first(y).unflatten(1, (-1, 4, 4))
        for k, block in enumerate(self.blocks):
            h = block(h, y)
            if str(k) in self.attention:
                h = self.attention[str(k)](h)
        return self.last(relu(self.norm(h))).tanh()


def down_blocks(widths: list[int], channels: int, halvings: int, attend: Collection[int]) -> Iterator[nn.Module]:
    """D's first convolution, then two blocks a size."""
    yield nn.Conv2d(channels, widths[0], 3, 1, 1)
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        yield DownBlock(inputs, outputs, halve=k < halvings)
        yield DownBlock(outputs, outputs, halve=False)
        if k in attend:
            yield Attention(outputs)


@config
class BigGANDeep:
    """Bottleneck blocks for 8 to 256 px; `width` times 16, 8, 4 … are the channels between blocks, as in BigGAN."""

    z_dim: int = 128
    width: int = 64
    d_width: int = 64
    shared: int = 128
    attention: int = 16
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, d_width=self.d_width, shared=self.shared)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = image_levels(spec, "BigGANDeep", largest=256)
        classes = classes_of(spec) if self.labels else 0
        g_at, d_at = places(self.attention, levels)
        G = Generator(self.z_dim, g_widths(self.width, levels), channels, classes, self.shared, g_at)
        outputs = d_widths(self.d_width, levels)
        D = Discriminator(down_blocks(outputs, channels, halvings(levels), d_at), outputs[-1], classes)
        built = nn.ModuleDict({"G": G, "D": D}).apply(initialise)
        return spectral(built, but=[G.shared])

    def smallest(self) -> "BigGANDeep":
        return replace(self, z_dim=2, width=1, d_width=1, shared=2)
