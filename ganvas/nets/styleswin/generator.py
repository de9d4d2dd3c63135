"""StyleSwin's G: from a constant of 4 px, two windowed transformer blocks at each size. Zhang et al. 2022, section 3."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...resampling import double_size
from ..layers.equalised import EqualisedLinear
from ..layers.style import MappingNetwork, StyleGenerator
from .windows import DoubleAttention

BLOCKS_OF_A_SIZE = 2
MLP_RATIO = 4
SLOWEST = 10_000.0  # how much slower the slowest wave of positions is than the quickest (Vaswani et al. 2017)


def encode_positions(size: int, width: int) -> Tensor:
    """Sines and cosines of the row, then of the column, [size, size, width]."""
    channel = torch.arange(width // 2)
    angles = torch.arange(size)[:, None] * SLOWEST ** (-(channel - channel % 2) / max(1, width // 2))
    waves = torch.where(channel % 2 == 0, angles.sin(), angles.cos())  # [size, width / 2]
    return torch.cat([waves[:, None].expand(-1, size, -1), waves.expand(size, -1, -1)], 2)


def count_heads(width: int, head_width: int) -> int:
    """An even number of heads of `head_width` channels or so, at least 4 if they divide the width."""
    wanted = max(4, width // head_width)
    return next(heads for heads in range(min(wanted, width), 0, -1) if heads % 2 == 0 and width % heads == 0)


class TokenAdaIN(nn.Module):
    """Statistics of each channel set by a style: x [N, S, S, width], w [N, w_dim] -> x. Karras et al. 2019, eq. 1."""

    def __init__(self, width: int, w_dim: int) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_dim, 2 * width)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x, (1, 2), correction=0, keepdim=True)
        gain, bias = self.style(w)[:, None, None].chunk(2, 3)
        gain = (1 + gain) * (variance + 1e-8).rsqrt()
        return torch.addcmul(bias - gain * mean, gain, x)


class SwinBlock(nn.Module):
    """x [N, S, S, width], w [N, w_dim] -> x: attention, then two layers, each after AdaIN. Figure 2."""

    def __init__(self, width: int, heads: int, w_dim: int, size: int, window: int) -> None:
        super().__init__()
        self.adapt = nn.ModuleList(TokenAdaIN(width, w_dim) for _ in range(2))
        self.attention = DoubleAttention(width, heads, size, window)
        self.first, self.last = nn.Linear(width, MLP_RATIO * width), nn.Linear(MLP_RATIO * width, width)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = x + self.attention(self.adapt[0](x, w))
        return x + self.last(F.gelu(self.first(self.adapt[1](x, w))))


class SwinStage(nn.Module):
    """The blocks of one size, after tokens have learnt where they are: x [N, S, S, width], a style a block -> x."""

    waves: Tensor

    def __init__(self, width: int, heads: int, w_dim: int, size: int, window: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("waves", encode_positions(size, width), persistent=False)
        self.blocks = nn.ModuleList(SwinBlock(width, heads, w_dim, size, window) for _ in range(BLOCKS_OF_A_SIZE))

    def forward(self, x: Tensor, ws: tuple[Tensor, ...]) -> Tensor:
        x = x + self.strength * self.waves
        for block, w in zip(self.blocks, ws, strict=True):
            x = block(x, w)
        return x


class TokenDoubling(nn.Module):
    """x [N, S, S, inputs] -> [N, 2S, 2S, outputs], by bilinear filtering, a norm and a linear layer."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm, self.last = nn.LayerNorm(inputs), nn.Linear(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = double_size(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.last(self.norm(x)).float()  # blocks add to fp32


class Generator(StyleGenerator):
    """z [N, z_dim], label [N], truncation [N] -> x [N, C, 4·2^levels, …], unbounded; `widths` from 4 px up."""

    def __init__(
        self, mapping: MappingNetwork, w_dim: int, widths: list[int], channels: int, head_width: int, window: int
    ) -> None:
        super().__init__(mapping, mixing=0.0)
        self.layer_count = BLOCKS_OF_A_SIZE * len(widths)
        self.start = nn.Parameter(torch.randn(4, 4, widths[0]))
        self.stages = nn.ModuleList(
            SwinStage(width, count_heads(width, head_width), w_dim, 4 * 2**level, window) for level, width in enumerate(widths)
        )
        self.doublings = nn.ModuleList(TokenDoubling(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.to_image = nn.ModuleList(nn.Linear(width, channels) for width in widths)
        self.apply(_initialise_swin_layer)

    def render_styles(self, ws: Tensor) -> Tensor:
        """ws [N, layers, w_dim] -> x, a sum of images of all sizes."""
        styles, h = ws.unbind(1), self.start.expand(ws.shape[0], -1, -1, -1)
        x: Tensor | None = None
        for level, (stage, to_image) in enumerate(zip(self.stages, self.to_image, strict=True)):
            if level:
                h = self.doublings[level - 1](h)
            h = stage(h, styles[BLOCKS_OF_A_SIZE * level : BLOCKS_OF_A_SIZE * (level + 1)])
            image = to_image(h).permute(0, 3, 1, 2)
            x = image if x is None else double_size(x) + image
        assert x is not None
        return x


def _initialise_swin_layer(layer: nn.Module) -> None:
    """Liu et al. 2021: truncated normal weights of 0.02, biases of 0."""
    if isinstance(layer, nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=0.02)
        if layer.bias is not None:  # pyright: ignore[reportUnnecessaryComparison]
            nn.init.zeros_(layer.bias)
