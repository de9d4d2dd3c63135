"""The networks of `auto`: no more multiply-adds than pictures of clothes need, to train on a laptop's processor.

G projects z to the smallest grid, 4x4 for powers of two, and doubles the size with 4x4 transposed convolutions, batch norm and
LeakyReLU. D halves it with 4x4 strided convolutions. It has no normalisation: gradient penalties are defined per sample. Labels
shift G's first layer and the gains and biases of its batch norms (de Vries et al. 2017). In D they enter by projection
(Miyato & Koyama 2018, eq. 3).
"""

from dataclasses import replace
from math import prod

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from .layers.labels import check_widths, count_classes, embed_labels, read_image_grid


def compute_compact_widths(width: int, cap: int, levels: int) -> list[int]:
    """Channels from the smallest grid up to half the image's size: `width` at the largest, doubling inwards, at most `cap`."""
    return [min(cap, width * 2**i) for i in reversed(range(levels))]


class ClassBatchNorm(nn.Module):
    """Batch norm whose gain and bias depend on the label, if there are `classes`."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, affine=not classes)
        self.change = build_zero_embedding(classes, 2 * width) if classes else None

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        x = self.norm(x)
        if self.change is None or label is None:
            return x
        gain, bias = embed_labels(self.change, label).to(x.dtype)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(bias, x, 1 + gain)


def build_zero_embedding(classes: int, size: int) -> nn.Embedding:
    """An embedding that starts at 0: all classes start the same."""
    embedding = nn.Embedding(classes, size)
    nn.init.zeros_(embedding.weight)
    return embedding


class Generator(GeneratorNetwork):
    """z [N, z_dim], label int64 [N] or a mixture [N, K] if there are `classes` -> x [N, C, H, W] in [-1, 1].

    grid: H and W over 2^levels, one level for each of `widths`.
    """

    def __init__(self, z_dim: int, widths: list[int], channels: int, classes: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.z_dim, self.conditions, self.grid = z_dim, ("label",) if classes else (), grid
        self.first = nn.Linear(z_dim, widths[0] * prod(grid))
        self.label = build_zero_embedding(classes, widths[0] * prod(grid)) if classes else None
        self.norms = nn.ModuleList(ClassBatchNorm(width, classes) for width in widths)
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
            for inputs, outputs in zip(widths, [*widths[1:], channels], strict=True)
        )

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.first(z)
        if self.label is not None and label is not None:
            h = h + embed_labels(self.label, label)
        h = h.unflatten(1, (-1, *self.grid))
        for norm, doubling in zip(self.norms, self.doublings, strict=True):
            h = doubling(nn.functional.leaky_relu(norm(h, label), 0.2, inplace=True))
        return h.tanh()


class Discriminator(nn.Module):
    """x [N, C, H, W], label int64 [N] or a mixture [N, K] if there are `classes` -> CriticOutput. `grid` as in G."""

    def __init__(self, widths: list[int], channels: int, classes: int, grid: tuple[int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.last = nn.Linear(widths[-1] * prod(grid), 1)
        self.label = nn.Embedding(classes, widths[-1] * prod(grid)) if classes else None
        if self.label is not None:
            nn.init.normal_(self.label.weight, std=0.02)

    def forward(self, x: Tensor, label: Tensor | None = None) -> CriticOutput:
        h = self.layers(x)
        logit = self.last(h).flatten()
        if self.label is not None and label is not None:
            logit = logit + (h * embed_labels(self.label, label)).sum(1) / h.shape[1] ** 0.5
        return CriticOutput(logit, h)


@config
class Compact:
    """Images whose sides are multiples of 8 px.

    labels: use the classes of the data, if it has any.
    """

    z_dim: int = 64
    g_width: int = 32  # G's channels next to the image; they double inwards
    d_width: int = 16  # the same for D
    cap: int = 256  # no layer is wider than this
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, g_width=self.g_width, d_width=self.d_width, cap=self.cap)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, grid, levels = read_image_grid(spec, "Compact")
        classes = count_classes(spec) if self.labels else 0
        G = Generator(self.z_dim, compute_compact_widths(self.g_width, self.cap, levels), channels, classes, grid)
        D = Discriminator(compute_compact_widths(self.d_width, self.cap, levels)[::-1], channels, classes, grid)
        return nn.ModuleDict({"G": G, "D": D})

    def smallest(self) -> "Compact":
        return replace(self, z_dim=2, g_width=2, d_width=2, cap=4)
