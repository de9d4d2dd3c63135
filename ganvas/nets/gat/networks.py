"""GAT's G makes an image in several levels, one after every part of its blocks; D sees them all. Hyun et al. 2025."""

from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core import CriticOutput
from ..layers.style import MappingNetwork, StyleGenerator
from .blocks import CriticBlock, ShiftedBlock, StyledBlock, StyledHead, initialise_transformer_weights
from .rotary import Rotation


class Generator(StyleGenerator):
    """z [N, z_dim], label [N], truncation [N] -> x [N, C, H, W], unbounded.

    While `shows_levels` is set it returns all levels, the first one first: [N, levels·C, H, W]. Each is the one before plus
    what further blocks add, and the last is x.
    """

    def __init__(
        self, mapping: MappingNetwork, w_dim: int, width: int, depth: int, heads: int, levels: int, patch: int, channels: int,
        grid: tuple[int, int], shifts: bool,
    ) -> None:  # fmt: skip
        super().__init__(mapping, mixing=0.0)
        self.levels_of_output, self.shows_levels, self.patch, self.grid = levels, False, patch, grid
        self.layer_count = depth
        self.start = nn.Parameter(torch.randn(grid[0] * grid[1], width))
        self.rotation = Rotation(grid, width // heads)
        block = ShiftedBlock if shifts else StyledBlock
        self.blocks = nn.ModuleList(block(width, heads, w_dim) for _ in range(depth))
        self.heads = nn.ModuleList(StyledHead(width, channels * patch**2, w_dim) for _ in range(levels))
        self.head_places = [ceil(depth * (level + 1) / levels) - 1 for level in range(levels)]  # each after this block
        self.blocks.apply(initialise_transformer_weights)
        self.heads.apply(initialise_transformer_weights)
        for head in self.heads:  # images begin plain, without the noise of random patches, which D is slow to punish
            nn.init.zeros_(head.last.weight)  # type: ignore[union-attr]

    def render_styles(self, ws: Tensor) -> Tensor:
        """ws [N, depth, w_dim] -> x."""
        h = self.start.expand(ws.shape[0], -1, -1)
        patches, x = list[Tensor](), torch.zeros((), device=ws.device)
        for k, (block, w) in enumerate(zip(self.blocks, ws.unbind(1), strict=True)):
            h = block(h, w, self.rotation)
            for head, place in zip(self.heads, self.head_places, strict=True):
                if place == k:
                    x = x + head(h, w)
                    patches.append(x)
        levels = patches if self.shows_levels else patches[-1:]
        return torch.cat([self.join_patches(level) for level in levels], 1)

    def join_patches(self, patches: Tensor) -> Tensor:
        """[N, T, C·patch²] -> [N, C, H, W]."""
        return F.pixel_shuffle(patches.transpose(1, 2).unflatten(2, self.grid), self.patch)


class Discriminator(nn.Module):
    """x [N, C, H, W] or all levels of it [N, levels·C, H, W], label int64 [N] if there are `classes` -> CriticOutput.

    A class token reads the patches. With classes, the logit is the product of D's outputs and the mapped class.
    """

    def __init__(
        self, width: int, depth: int, heads: int, levels: int, patch: int, channels: int, grid: tuple[int, int], classes: int,
        w_dim: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.levels_of_input, self.channels, self.patch = levels, channels, patch
        self.first = nn.Linear(levels * channels * patch**2, width)
        self.token = nn.Parameter(torch.randn(width) * width**-0.5)
        self.rotation = Rotation(grid, width // heads, leading=1)
        self.blocks = nn.ModuleList(CriticBlock(width, heads) for _ in range(depth))
        self.norm, self.last = nn.RMSNorm(width), nn.Linear(width, w_dim if classes else 1)
        self.apply(initialise_transformer_weights)
        self.label = MappingNetwork(0, w_dim, 2, classes, mean_decay=None) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> CriticOutput:
        if x.shape[1] == self.channels:  # a finished image is the same at every level
            x = x.repeat(1, self.levels_of_input, 1, 1)
        h = self.first(F.pixel_unshuffle(x, self.patch).flatten(2).transpose(1, 2)).float()  # blocks add to fp32
        h = torch.cat([self.token.expand(len(h), 1, -1), h], 1)
        for block in self.blocks:
            h = block(h, self.rotation)
        features = self.norm(h[:, 0])
        outputs = self.last(features)
        if self.label is None or label is None:
            return CriticOutput(outputs.squeeze(1), features)
        mapped_class = self.label(None, label)
        return CriticOutput((outputs * mapped_class).sum(1) / mapped_class.shape[1] ** 0.5, features)
