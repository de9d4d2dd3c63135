"""R3GAN. Huang et al. 2024, section 4 and appendix D: a ResNeXt without normalisation for G, and its mirror for D.

For their loss and penalties see RelativisticPairing, R1 and R2. Convolutions start at He's gain over the fourth root of the
number of blocks, the last of each block at 0 (Zhang et al. 2019, Fixup).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from ..errors import refuse
from ..resampling import double_size, halve_size
from .layers.labels import check_widths, count_classes, embed_labels, read_image_levels

INNER_WIDTH_FACTOR = 2  # of a block's inner width
LEAKY_RELU_GAIN = (2 / (1 + 0.2**2)) ** 0.5  # of LeakyReLU 0.2


class ResNeXtBlock(nn.Module):
    """x + 1x1(LeakyReLU(3x3 grouped(LeakyReLU(1x1(x))))), biases before the activations alone."""

    def __init__(self, width: int, group: int) -> None:
        super().__init__()
        inner = width * INNER_WIDTH_FACTOR
        self.first, self.second = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, inner, 3, 1, 1, groups=max(1, inner // group))
        self.last = nn.Conv2d(inner, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.last(leaky_relu(self.second(leaky_relu(self.first(x), 0.2)), 0.2))


def build_channel_change(inputs: int, outputs: int) -> nn.Module:
    """The number of channels changed, where it has to be."""
    return nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()


class Generator(GeneratorNetwork):
    """z [N, z_dim], label int64 [N] where there are `classes` -> x [N, C, 4·2^stages, …], of no bounds; `widths` from 4 px."""

    def __init__(self, z_dim: int, widths: Sequence[int], channels: int, blocks: int, group: int, classes: int) -> None:
        super().__init__()
        self.z_dim, self.conditions = z_dim, ("label",) if classes else ()
        self.label = nn.Embedding(classes, z_dim) if classes else None
        self.basis = nn.Parameter(torch.randn(widths[0], 4, 4))
        self.first = nn.Linear(z_dim * (2 if classes else 1), widths[0], bias=False)
        self.changes = nn.ModuleList(build_channel_change(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.stages = nn.ModuleList(nn.Sequential(*(ResNeXtBlock(width, group) for _ in range(blocks))) for width in widths)
        self.last = nn.Conv2d(widths[-1], channels, 1, bias=False)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        z = z if self.label is None or label is None else torch.cat([z, embed_labels(self.label, label)], 1)
        start = self.first(z)[:, :, None, None]
        start = (self.basis.to(start.dtype) * start).contiguous(memory_format=torch.channels_last)
        h = self.stages[0](start)
        for change, stage in zip(self.changes, self.stages[1:], strict=True):
            h = stage(double_size(change(h)))
        return self.last(h)


class Discriminator(nn.Module):
    """x [N, C, S, S], label int64 [N] where there are `classes` -> Verdict; `widths` from the image down to 4 px.

    Of classes the logit is a projection alone, the product of what D finds with the class's embedding.
    """

    def __init__(self, widths: Sequence[int], channels: int, blocks: int, group: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, widths[0], 1, bias=False)
        self.stages = nn.ModuleList(nn.Sequential(*(ResNeXtBlock(width, group) for _ in range(blocks))) for width in widths)
        self.changes = nn.ModuleList(build_channel_change(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.basis = nn.Conv2d(widths[-1], widths[-1], 4, groups=widths[-1], bias=False)
        self.last = nn.Linear(widths[-1], widths[-1] if classes else 1, bias=False)
        self.label = nn.Embedding(classes, widths[-1]) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> CriticOutput:
        h = self.stages[0](self.first(x))
        for change, stage in zip(self.changes, self.stages[1:], strict=True):
            h = stage(change(halve_size(h)))
        features = self.basis(h).flatten(1)
        outputs = self.last(features)
        if self.label is not None:
            assert label is not None
            outputs = (outputs * embed_labels(self.label, label)).sum(1, keepdim=True)
        return CriticOutput(outputs.squeeze(1), features)


@torch.no_grad()
def initialise_r3gan_weights(net: nn.Module) -> None:
    """He's normal over the fourth root of the number of blocks within blocks, of gain 1 outside; last layers of blocks 0."""
    blocks = [module for module in net.modules() if isinstance(module, ResNeXtBlock)]
    inner_layers = {layer for block in blocks for layer in (block.first, block.second, block.last)}
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            gain = LEAKY_RELU_GAIN * len(blocks) ** -0.25 if layer in inner_layers else 1.0
            nn.init.normal_(layer.weight, std=gain * layer.weight[0].numel() ** -0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Embedding):  # a linear layer, were labels vectors; D's product is then of size 1
            size = layer.embedding_dim if isinstance(net, Discriminator) else 1
            nn.init.normal_(layer.weight, std=(layer.num_embeddings * size) ** -0.5)
    for block in blocks:
        nn.init.zeros_(block.last.weight)


@config
class R3GAN:
    """Square images from 8 px.

    widths: G's channels from 4 px up, the last one for all larger sizes; D is the mirror.
    blocks: residual blocks a size. group: channels in each group of the 3x3 convolutions.
    """

    z_dim: int = 64
    widths: tuple[int, ...] = (768, 768, 768, 768)
    blocks: int = 2
    group: int = 16
    labels: bool = True

    def __post_init__(self) -> None:
        refuse(not self.widths, "nets.widths", self.widths, "one or more", "--nets.widths 256 256 128 64")
        check_widths(z_dim=self.z_dim, blocks=self.blocks, group=self.group, widths=min(self.widths))
        indivisible_widths = [
            width for width in self.widths if width * INNER_WIDTH_FACTOR % min(self.group, width * INNER_WIDTH_FACTOR)
        ]
        refuse(
            bool(indivisible_widths),
            "nets.widths",
            indivisible_widths,
            f"such that groups of {self.group} divide twice of each",
            "--nets.group 8",
        )

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "R3GAN")
        classes = count_classes(spec) if self.labels else 0
        layer_widths = (self.widths + self.widths[-1:] * levels)[: levels + 1]
        G = Generator(self.z_dim, layer_widths, channels, self.blocks, self.group, classes)
        D = Discriminator(layer_widths[::-1], channels, self.blocks, self.group, classes)
        initialise_r3gan_weights(G)
        initialise_r3gan_weights(D)
        return nn.ModuleDict({"G": G, "D": D})

    def smallest(self) -> "R3GAN":
        return replace(self, z_dim=2, widths=(2,), blocks=1, group=2)
