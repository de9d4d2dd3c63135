"""Networks that learn from few samples: D sees pixels, and a further critic F sees the features of a frozen classifier.

Sauer et al. 2021 (Projected GANs). G doubles the size by repeating pixels, before a 3x3 convolution, batch norm and LeakyReLU.
Each of its pixels is made alike, so there is no checkerboard. D is that of `Compact`: it sees colours, which F overlooks.
F has a head for each size of features. Labels enter G and D as in `Compact`, and F by projection.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil, prod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from .compact import ClassBatchNorm, Discriminator, build_zero_embedding, compute_compact_widths
from .layers.doubling import double_and_convolve
from .layers.labels import check_widths, count_classes, embed_labels, read_image_grid

MIN_PYRAMID_SIDE = 32  # pixels: smaller pictures are enlarged before the classifier sees them


class PyramidLevel(NamedTuple):
    """Features of EfficientNet-Lite0 at one size: the last layer of that size, its channels, pixels per feature."""

    layer: int
    channels: int
    stride: int


PYRAMID_LEVELS = (PyramidLevel(3, 24, 4), PyramidLevel(5, 40, 8), PyramidLevel(11, 112, 16))


def find_enlargement(height: int, width: int) -> int:
    """How many times a picture is enlarged before the classifier sees it, so that no side is below 32 px."""
    return ceil(MIN_PYRAMID_SIDE / min(height, width))


def compute_pyramid_shapes(height: int, width: int) -> list[tuple[int, int, int]]:
    """(channels, rows, columns) of the features at each size."""
    sides = [find_enlargement(height, width) * side for side in (height, width)]
    return [(level.channels, sides[0] // level.stride, sides[1] // level.stride) for level in PYRAMID_LEVELS]


class Doubling(nn.Module):
    """Twice the size: each pixel repeated, a 3x3 convolution, batch norm by label, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, classes: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), ClassBatchNorm(outputs, classes)

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        return F.leaky_relu(self.norm(double_and_convolve(x, self.conv.weight), label), 0.2, inplace=True)


class Generator(GeneratorNetwork):
    """z [N, z_dim], label int64 [N] or a mixture [N, K] if there are `classes` -> x [N, C, H, W] in [-1, 1].

    widths: channels at each size, the smallest `grid` first. There, half of twice as many channels gate the others (GLU,
        Dauphin et al. 2017): without that it learns half as quickly (docs/log.md).
    """

    def __init__(self, z_dim: int, widths: Sequence[int], channels: int, classes: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.z_dim, self.conditions, self.grid = z_dim, ("label",) if classes else (), grid
        self.first = nn.Linear(z_dim, 2 * widths[0] * prod(grid))
        self.label = build_zero_embedding(classes, 2 * widths[0] * prod(grid)) if classes else None
        self.norm = ClassBatchNorm(2 * widths[0], classes)
        self.doublings = nn.ModuleList(Doubling(inputs, outputs, classes) for inputs, outputs in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.first(z)
        if self.label is not None and label is not None:
            h = h + embed_labels(self.label, label)
        h = h.unflatten(1, (-1, *self.grid)).contiguous(memory_format=torch.channels_last)
        h = F.glu(self.norm(h, label), 1)
        for doubling in self.doublings:
            h = doubling(h, label)
        return self.last(h).tanh()


def build_feature_layers(shape: tuple[int, int, int], width: int) -> tuple[nn.Sequential, tuple[int, int, int]]:
    """(layers that bring features of this shape, C, H, W, to 4 positions a side or so; the shape of what they return)."""
    channels, height, breadth = shape
    layers: list[nn.Module] = []
    while min(height, breadth) > 4:
        layers += [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        channels, width, height, breadth = width, 2 * width, height // 2, breadth // 2
    if not layers:
        layers = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        channels = width
    return nn.Sequential(*layers), (channels, height, breadth)


class FeatureHead(nn.Module):
    """Features [N, C, H, W] -> a logit [N] and the inputs of the last layer [N, width, h, w], of 4 positions a side or so."""

    def __init__(self, shape: tuple[int, int, int], width: int, classes: int) -> None:
        super().__init__()
        self.layers, inner_shape = build_feature_layers(shape, width)
        self.last = nn.Linear(prod(inner_shape), 1)
        self.label = nn.Embedding(classes, inner_shape[0]) if classes else None
        if self.label is not None:
            nn.init.normal_(self.label.weight, std=0.02)

    def forward(self, x: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        h = self.layers(x)
        logit = self.last(h.flatten(1)).flatten()
        if self.label is not None and label is not None:
            logit = logit + (h.mean((2, 3)) * embed_labels(self.label, label)).sum(1)
        return logit, h.flatten(1)


class FeatureCritic(nn.Module):
    """Features [N, F] of these `shapes`, label int64 [N] if there are `classes` -> CriticOutput, a logit for each shape."""

    feature_network = "efficientnet-lite0"  # it looks through this network, whose distances therefore flatter G

    def __init__(self, shapes: Sequence[tuple[int, int, int]], width: int, classes: int) -> None:
        super().__init__()
        self.shapes = tuple(shapes)
        self.heads = nn.ModuleList(FeatureHead(shape, width, classes) for shape in shapes)

    def forward(self, x: Tensor, label: Tensor | None = None, **others: Tensor) -> CriticOutput:
        """`others` are conditions that it does not see, such as a source."""
        parts = x.split([prod(shape) for shape in self.shapes], 1)
        outputs = [
            head(part.unflatten(1, shape).contiguous(memory_format=torch.channels_last), label)
            for head, part, shape in zip(self.heads, parts, self.shapes, strict=True)
        ]
        return CriticOutput(torch.stack([logit for logit, _ in outputs], 1), torch.cat([h for _, h in outputs], 1))


@config
class Projected:
    """Images whose sides are multiples of 8 px: G, D on pixels, and F on features, which `FeaturePyramid` shows it.

    labels: use the classes of the data, if it has any.
    """

    z_dim: int = 64
    g_width: int = 16  # G's channels at the image's size; they double inwards
    d_width: int = 16  # D's channels next to the image
    f_width: int = 64  # channels of F's first layers
    cap: int = 256  # no layer of G or D is wider than this
    labels: bool = True

    def __post_init__(self) -> None:
        widths = {"g_width": self.g_width, "d_width": self.d_width, "f_width": self.f_width}
        check_widths(z_dim=self.z_dim, cap=self.cap, **widths)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, grid, levels = read_image_grid(spec, "Projected")
        classes = count_classes(spec) if self.labels else 0
        g_widths = compute_compact_widths(self.g_width, self.cap, levels + 1)
        d_widths = compute_compact_widths(self.d_width, self.cap, levels)[::-1]
        return nn.ModuleDict(
            {
                "G": Generator(self.z_dim, g_widths, channels, classes, grid),
                "D": Discriminator(d_widths, channels, classes, grid),
                "F": FeatureCritic(compute_pyramid_shapes(*spec.shape[1:]), self.f_width, classes),
            }
        )

    def smallest(self) -> "Projected":
        return replace(self, z_dim=2, g_width=2, d_width=2, f_width=2, cap=4)
