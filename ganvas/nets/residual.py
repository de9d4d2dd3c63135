"""Residual networks: SNGAN's, SAGAN's and BigGAN's, which grew out of one another.

SNGAN: Miyato et al. 2018, appendix B.4, table 3 (32 px): spectral norm in D; with classes, conditional batch norm and
projection (Miyato & Koyama 2018). SAGAN: Zhang et al. 2019: self-attention, spectral norm in both. BigGAN: Brock et al. 2019,
appendix B: one class embedding for all layers, and each block's own part of z beside it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, relu

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from .layers.labels import check_widths, compute_class_shares, count_classes, embed_labels, read_image_levels
from .layers.spectral_norm import add_spectral_norm

G_WIDTH_FACTORS = {64: (16, 16, 8, 4, 2), 128: (16, 16, 8, 4, 2, 1), 256: (16, 16, 8, 8, 4, 2, 1)}  # times `width`, from 4 px
D_WIDTH_FACTORS = {64: (1, 2, 4, 8, 16), 128: (1, 2, 4, 8, 16, 16), 256: (1, 2, 4, 8, 8, 16, 16)}  # of the blocks' outputs
SMALL_IMAGE_WIDTH_FACTOR = 4  # times `width` throughout, up to 32 px


def compute_g_widths(width: int, levels: int) -> list[int]:
    return [width * times for times in G_WIDTH_FACTORS.get(4 * 2**levels, (SMALL_IMAGE_WIDTH_FACTOR,) * (levels + 1))]


def compute_d_widths(width: int, levels: int) -> list[int]:
    """Of the blocks' outputs: all but the last halve the image from 64 px, the first two of four below."""
    return [width * times for times in D_WIDTH_FACTORS.get(4 * 2**levels, (SMALL_IMAGE_WIDTH_FACTOR,) * 4)]


def count_halvings(levels: int) -> int:
    """How many of D's blocks halve the image."""
    return levels if 4 * 2**levels in D_WIDTH_FACTORS else 2


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and bias are linear in y [N, told]; ordinary batch norm where there is nothing to tell."""

    def __init__(self, width: int, condition_size: int, eps: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, eps, affine=not condition_size)
        self.gain = nn.Linear(condition_size, width, bias=False) if condition_size else None
        self.bias = nn.Linear(condition_size, width, bias=False) if condition_size else None

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        x = self.norm(x)
        if self.gain is None or self.bias is None or y is None:
            return x
        return torch.addcmul(self.bias(y)[:, :, None, None], x, 1 + self.gain(y)[:, :, None, None])


class Attention(nn.Module):
    """Self-attention, γ·o(softmax(θᵀφ)·g) + x, γ at first 0; φ and g at half the size. Zhang et al. 2019, eqs. 1 to 4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(width, max(1, width // 8), 1, bias=False)
        self.phi = nn.Conv2d(width, max(1, width // 8), 1, bias=False)
        self.g = nn.Conv2d(width, max(1, width // 2), 1, bias=False)
        self.o = nn.Conv2d(max(1, width // 2), width, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        query = self.theta(x).flatten(2)
        keys, values = (max_pool2d(layer(x), 2).flatten(2) for layer in (self.phi, self.g))
        weights = (query.transpose(1, 2) @ keys).softmax(2)  # [N, HW, HW/4]
        context = (values @ weights.transpose(1, 2)).view(x.shape[0], -1, *x.shape[2:])
        return self.gamma * self.o(context) + x


class UpBlock(nn.Module):
    """Twice the size: norm, ReLU, doubling, convolution, norm, ReLU, convolution; beside it a doubled 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, condition_size: int, eps: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(
            [ConditionalBatchNorm(inputs, condition_size, eps), ConditionalBatchNorm(outputs, condition_size, eps)]
        )
        self.first, self.second = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.beside = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        h = self.first(double_nearest(relu(self.norms[0](x, y), inplace=True)))
        h = self.second(relu(self.norms[1](h, y), inplace=True))
        return h + double_nearest(self.beside(x))  # a 1x1 convolution and the doubling may change places: a quarter of the work


def double_nearest(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="nearest")


class DownBlock(nn.Module):
    """ReLU, convolution, ReLU, convolution, mean of 2x2; beside it a 1x1 convolution. D's first block has no first ReLU."""

    def __init__(self, inputs: int, outputs: int, is_first: bool, is_halving: bool) -> None:
        super().__init__()
        self.is_first, self.is_halving = is_first, is_halving
        self.first, self.second = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.beside = nn.Conv2d(inputs, outputs, 1) if is_halving or inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(relu(self.first(x if self.is_first else relu(x)), inplace=True))
        if not self.is_halving:
            return h + self.beside(x)
        return avg_pool2d(h, 2) + self.beside(avg_pool2d(x, 2))  # as above: the mean first


class Generator(GeneratorNetwork):
    """z [N, z_dim], label int64 [N] or a mixture [N, K] where there are `classes` -> x [N, C, 4·2^levels, …] in [-1, 1].

    Args:
        widths: channels at 4 px and after each block.
        shared: size of the one class embedding for all layers; 0 gives each layer its own.
        split: each block's norms see a part of z of their own; z_dim is rounded down to equal parts.
        attend: the blocks after which there is attention.
    """

    def __init__(
        self,
        z_dim: int,
        widths: list[int],
        channels: int,
        classes: int,
        shared_dim: int = 0,
        is_split: bool = False,
        attention_blocks: Collection[int] = (),
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        parts = len(widths) if is_split else 1
        part_size = max(1, z_dim // parts)
        self.z_dim, self.part_size, self.is_split, self.classes = part_size * parts, part_size, is_split, classes
        self.conditions = ("label",) if classes else ()
        self.shared = nn.Embedding(classes, shared_dim) if classes and shared_dim else None
        condition_size = (shared_dim if self.shared else classes) + (part_size if is_split else 0)
        self.first = nn.Linear(part_size, widths[0] * 16)
        self.blocks = nn.ModuleList(UpBlock(i, o, condition_size, eps) for i, o in pairwise(widths))
        self.attention = nn.ModuleDict({str(k): Attention(widths[k + 1]) for k in attention_blocks})
        self.norm, self.last = nn.BatchNorm2d(widths[-1]), nn.Conv2d(widths[-1], channels, 3, 1, 1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        parts = z.split(self.part_size, 1)
        h = self.first(parts[0]).unflatten(1, (-1, 4, 4))
        y = None if label is None else self.encode_condition(label)
        for k, block in enumerate(self.blocks):
            conditions = [part for part in (y, parts[k + 1] if self.is_split else None) if part is not None]
            h = block(h, torch.cat(conditions, 1) if conditions else None)
            if str(k) in self.attention:
                h = self.attention[str(k)](h)
        return self.last(relu(self.norm(h))).tanh()

    def encode_condition(self, label: Tensor) -> Tensor:
        return compute_class_shares(label, self.classes) if self.shared is None else embed_labels(self.shared, label)


class Discriminator(nn.Module):
    """x [N, C, S, S], label int64 [N] where there are `classes` -> Verdict: features summed over the image, projection.

    Args:
        blocks: from the image to `width` channels.
    """

    def __init__(self, blocks: Iterable[nn.Module], width: int, classes: int) -> None:
        super().__init__()
        self.blocks, self.last = nn.Sequential(*blocks), nn.Linear(width, 1)
        self.label = nn.Embedding(classes, width) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> CriticOutput:
        features = relu(self.blocks(x)).sum((2, 3))
        logit = self.last(features).squeeze(1)
        if self.label is not None and label is not None:
            logit = logit + (self.label(label) * features).sum(1)
        return CriticOutput(logit, features)


def build_down_blocks(
    widths: list[int], channels: int, halving_count: int, attention_blocks: Collection[int] = ()
) -> Iterator[nn.Module]:
    """D's blocks with the given output widths, the first ones halving the image; attention after those in `attend`."""
    for k, (inputs, outputs) in enumerate(pairwise([channels, *widths])):
        yield DownBlock(inputs, outputs, is_first=k == 0, is_halving=k < halving_count)
        if k in attention_blocks:
            yield Attention(outputs)


def initialise_orthogonal_weights(module: nn.Module) -> None:
    """Orthogonal weights, biases 0 (Brock et al. 2019, section 3)."""
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.Embedding)):
        nn.init.orthogonal_(module.weight)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def zero_condition_weights(module: nn.Module) -> None:
    """Norms that each have a gain and bias for every class start as if they had not."""
    if isinstance(module, ConditionalBatchNorm) and module.gain is not None and module.bias is not None:
        nn.init.zeros_(module.gain.weight)
        nn.init.zeros_(module.bias.weight)


@config
class SNGAN:
    """Residual networks with spectral norm in D, for 8 to 256 px; the paper's widths at 32 px are 256 and 128.

    width: G's channels are four times this up to 32 px; d_width: D's.
    """

    z_dim: int = 128
    width: int = 64
    d_width: int = 32
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, d_width=self.d_width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "SNGAN", largest=256)
        classes = count_classes(spec) if self.labels else 0
        G = Generator(self.z_dim, compute_g_widths(self.width, levels), channels, classes)
        outputs = compute_d_widths(self.d_width, levels)
        D = Discriminator(build_down_blocks(outputs, channels, count_halvings(levels)), outputs[-1], classes)
        networks = nn.ModuleDict({"G": G, "D": D}).apply(initialise_orthogonal_weights).apply(zero_condition_weights)
        add_spectral_norm(networks["D"])
        return networks

    def smallest(self) -> "SNGAN":
        return replace(self, z_dim=2, width=1, d_width=1)


@config
class SAGAN:
    """The same with self-attention at `attention` px, and spectral norm in G as well."""

    z_dim: int = 128
    width: int = 64
    d_width: int = 64
    attention: int = 16
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, d_width=self.d_width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "SAGAN", largest=256)
        classes = count_classes(spec) if self.labels else 0
        g_attention, d_attention = find_attention_blocks(self.attention, levels)
        G = Generator(self.z_dim, compute_g_widths(self.width, levels), channels, classes, attention_blocks=g_attention)
        outputs = compute_d_widths(self.d_width, levels)
        D = Discriminator(build_down_blocks(outputs, channels, count_halvings(levels), d_attention), outputs[-1], classes)
        return add_spectral_norm(
            nn.ModuleDict({"G": G, "D": D}).apply(initialise_orthogonal_weights).apply(zero_condition_weights)
        )

    def smallest(self) -> "SAGAN":
        return replace(self, z_dim=2, width=1, d_width=1)


@config
class BigGAN:
    """SAGAN with one class embedding of size `shared` for all layers, and z in parts, one for the start and each block."""

    z_dim: int = 128
    width: int = 64
    d_width: int = 64
    shared_dim: int = 128
    attention: int = 16
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, d_width=self.d_width, shared_dim=self.shared_dim)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "BigGAN", largest=256)
        classes = count_classes(spec) if self.labels else 0
        g_attention, d_attention = find_attention_blocks(self.attention, levels)
        G = Generator(
            self.z_dim,
            compute_g_widths(self.width, levels),
            channels,
            classes,
            self.shared_dim,
            is_split=True,
            attention_blocks=g_attention,
        )
        outputs = compute_d_widths(self.d_width, levels)
        D = Discriminator(build_down_blocks(outputs, channels, count_halvings(levels), d_attention), outputs[-1], classes)
        return add_spectral_norm(
            nn.ModuleDict({"G": G, "D": D}).apply(initialise_orthogonal_weights), excluded_layers=[G.shared]
        )

    def smallest(self) -> "BigGAN":
        return replace(self, z_dim=6, width=1, d_width=1, shared_dim=2)


def find_attention_blocks(size: int, levels: int) -> tuple[list[int], list[int]]:
    """After which of G's and of D's blocks the image has `size` px, if any."""
    g = [k for k in range(levels) if 8 * 2**k == size]
    return g, [k for k in range(count_halvings(levels)) if 2 ** (levels + 1 - k) == size]
