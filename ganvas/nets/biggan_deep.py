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

from ..configuration import config
from ..core import GeneratorNetwork, Spec
from .layers.labels import check_widths, count_classes, embed_labels, read_image_levels
from .layers.spectral_norm import add_spectral_norm
from .residual import (
    Attention,
    ConditionalBatchNorm,
    Discriminator,
    compute_d_widths,
    compute_g_widths,
    count_halvings,
    double_nearest,
    find_attention_blocks,
    initialise_orthogonal_weights,
)

BOTTLENECK_RATIO = 4  # times fewer channels within a block


def build_bottleneck(inputs: int, inner: int, outputs: int) -> nn.ModuleList:
    inner_layers = (nn.Conv2d(inner, inner, 3, 1, 1) for _ in range(2))
    return nn.ModuleList([nn.Conv2d(inputs, inner, 1), *inner_layers, nn.Conv2d(inner, outputs, 1)])


class UpBlock(nn.Module):
    """x [N, inputs, H, W], y [N, told] -> [N, outputs, …], twice the size if `upward`; outputs are at most the inputs."""

    def __init__(self, inputs: int, outputs: int, condition_size: int, is_upward: bool) -> None:
        super().__init__()
        inner = max(1, inputs // BOTTLENECK_RATIO)
        self.outputs, self.is_upward = outputs, is_upward
        self.norms = nn.ModuleList(ConditionalBatchNorm(width, condition_size, 1e-5) for width in (inputs, inner, inner, inner))
        self.convolutions = build_bottleneck(inputs, inner, outputs)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = x
        for k, (norm, convolution) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            h = relu(norm(h, y), inplace=True)
            h = convolution(double_nearest(h) if self.is_upward and k == 1 else h)
        shortcut = x[:, : self.outputs]
        return h + (double_nearest(shortcut) if self.is_upward else shortcut)


class DownBlock(nn.Module):
    """x [N, inputs, H, W] -> [N, outputs, …], half the size if `halve`; outputs are at least the inputs."""

    def __init__(self, inputs: int, outputs: int, is_halving: bool) -> None:
        super().__init__()
        inner = max(1, outputs // BOTTLENECK_RATIO)
        self.is_halving = is_halving
        self.convolutions = build_bottleneck(inputs, inner, outputs)
        self.appended = nn.Conv2d(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for k, convolution in enumerate(self.convolutions):
            h = relu(h, inplace=k > 0)  # x is wanted again
            h = convolution(avg_pool2d(h, 2) if self.is_halving and k == 3 else h)
        shortcut = avg_pool2d(x, 2) if self.is_halving else x
        return h + (shortcut if self.appended is None else torch.cat([shortcut, self.appended(shortcut)], 1))


class Generator(GeneratorNetwork):
    """z [N, z_dim], label int64 [N] or a mixture [N, K] where there are `classes` -> x [N, C, 4·2^levels, …] in [-1, 1].

    There are two blocks a size.
    """

    def __init__(
        self, z_dim: int, widths: list[int], channels: int, classes: int, shared_dim: int, attention_blocks: Collection[int]
    ) -> None:
        super().__init__()
        self.z_dim, self.conditions = z_dim, ("label",) if classes else ()
        self.shared = nn.Embedding(classes, shared_dim) if classes else None
        condition_size = z_dim + (shared_dim if classes else 0)
        self.first = nn.Linear(condition_size, widths[0] * 16)
        self.blocks = nn.ModuleList()
        for inputs, outputs in pairwise(widths):
            self.blocks += [
                UpBlock(inputs, inputs, condition_size, is_upward=False),
                UpBlock(inputs, outputs, condition_size, is_upward=True),
            ]
        self.attention = nn.ModuleDict({str(2 * k + 1): Attention(widths[k + 1]) for k in attention_blocks})
        self.norm, self.last = nn.BatchNorm2d(widths[-1]), nn.Conv2d(widths[-1], channels, 3, 1, 1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        y = z if self.shared is None or label is None else torch.cat([z, embed_labels(self.shared, label)], 1)
        h = self.first(y).unflatten(1, (-1, 4, 4))
        for k, block in enumerate(self.blocks):
            h = block(h, y)
            if str(k) in self.attention:
                h = self.attention[str(k)](h)
        return self.last(relu(self.norm(h))).tanh()


def build_deep_down_blocks(
    widths: list[int], channels: int, halving_count: int, attention_blocks: Collection[int]
) -> Iterator[nn.Module]:
    """D's first convolution, then two blocks a size."""
    yield nn.Conv2d(channels, widths[0], 3, 1, 1)
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        yield DownBlock(inputs, outputs, is_halving=k < halving_count)
        yield DownBlock(outputs, outputs, is_halving=False)
        if k in attention_blocks:
            yield Attention(outputs)


@config
class BigGANDeep:
    """Bottleneck blocks for 8 to 256 px; `width` times 16, 8, 4 … are the channels between blocks, as in BigGAN."""

    z_dim: int = 128
    width: int = 64
    d_width: int = 64
    shared_dim: int = 128
    attention: int = 16
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, d_width=self.d_width, shared_dim=self.shared_dim)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "BigGANDeep", largest=256)
        classes = count_classes(spec) if self.labels else 0
        g_attention, d_attention = find_attention_blocks(self.attention, levels)
        G = Generator(self.z_dim, compute_g_widths(self.width, levels), channels, classes, self.shared_dim, g_attention)
        outputs = compute_d_widths(self.d_width, levels)
        D = Discriminator(build_deep_down_blocks(outputs, channels, count_halvings(levels), d_attention), outputs[-1], classes)
        networks = nn.ModuleDict({"G": G, "D": D}).apply(initialise_orthogonal_weights)
        return add_spectral_norm(networks, excluded_layers=[G.shared])

    def smallest(self) -> "BigGANDeep":
        return replace(self, z_dim=2, width=1, d_width=1, shared_dim=2)
