"""R3GAN. Huang et al. 2024, section 4 and appendix D: a ResNeXt without normalisation for G, and its mirror for D.

Their loss and penalties are RelativisticPairing, R1 and R2. Convolutions start at He's gain over the fourth root of the
number of blocks, the last one of each block at 0 (Zhang et al. 2019, Fixup).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from ..errors import require
from ..resampling import double_size, halve_size
from .layers.labels import check_widths, count_classes, embed_labels, read_image_levels

INNER_WIDTH_FACTOR = 2  # a block's inner width over its outer width
LEAKY_RELU_GAIN = (2 / (1 + 0.2**2)) ** 0.5  # He's gain for LeakyReLU 0.2


class ResNeXtBlock(nn.Module):
    """x + 1x1(LeakyReLU(3x3 grouped(LeakyReLU(1x1(x))))), biases only before the activations."""

    def __init__(self, width: int, group: int) -> None:
        super().__init__()
        inner = width * INNER_WIDTH_FACTOR
        self.first, self.second = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, inner, 3, 1, 1, groups=max(1, inner // group))
        self.last = nn.Conv2d(inner, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.last(leaky_relu(self.second(leaky_relu(self.first(x), 0.2)), 0.2))


def build_channel_change(inputs: int, outputs: int) -> nn.Module:
    """A 1x1 convolution to another number of channels; the identity if they are equal."""
    return nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()


class Generator(GeneratorNetwork):
    """z [N, z_dim], label int64 [N] if there are `classes` -> x [N, C, 4·2^stages, …], unbounded; `widths` from 4 px."""

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
    """x [N, C, S, S], label int64 [N] if there are `classes` -> CriticOutput; `widths` from the image down to 4 px.

    With classes the logit is a pure projection: the product of D's outputs and the class's embedding.
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
    """Normal: in blocks He's over the fourth root of the number of blocks, outside of gain 1. Blocks' last layers are 0."""
    blocks = [module for module in net.modules() if isinstance(module, ResNeXtBlock)]
    inner_layers = {layer for block in blocks for layer in (block.first, block.second, block.last)}
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            gain = LEAKY_RELU_GAIN * len(blocks) ** -0.25 if layer in inner_layers else 1.0
            nn.init.normal_(layer.weight, std=gain * layer.weight[0].numel() ** -0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Embedding):  # like a linear layer of one-hot labels; D's product then has size 1
            size = layer.embedding_dim if isinstance(net, Discriminator) else 1
            nn.init.normal_(layer.weight, std=(layer.num_embeddings * size) ** -0.5)
    for block in blocks:
        nn.init.zeros_(block.last.weight)


@config
class R3GAN:
    """Square images from 8 px.

    widths: G's channels from 4 px up, the last one for all larger sizes; D mirrors them.
    blocks: residual blocks per size.
    group: channels in each group of the 3x3 convolutions.
    """

    z_dim: int = 64
    widths: tuple[int, ...] = (768, 768, 768, 768)
    blocks: int = 2
    group: int = 16
    labels: bool = True

    def __post_init__(self) -> None:
        require(bool(self.widths), "widths", self.widths, "one or more")
        check_widths(z_dim=self.z_dim, blocks=self.blocks, group=self.group, widths=min(self.widths))
        indivisible_widths = [
            width for width in self.widths if width * INNER_WIDTH_FACTOR % min(self.group, width * INNER_WIDTH_FACTOR)
        ]
        allowed = f"numbers whose double is below `group` ({self.group}) or a multiple of it"
        require(not indivisible_widths, "widths", indivisible_widths, allowed)

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
