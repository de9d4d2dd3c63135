"""Layers of transformers whose tokens are patches of an image."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.attending import attend
from ..layers.equalised import EqualisedLinear
from .rotary import Rotation

MODULATION_GAIN = 0.1  # of the linear layers that read styles, at the start
LAYER_SCALE = 0.1  # of what a block of D adds, at the start


def normalise_tokens(x: Tensor) -> Tensor:
    """Each token over the root of its mean square (Zhang & Sennrich 2019): [..., width]."""
    return F.rms_norm(x, x.shape[-1:])


class TokenAttention(nn.Module):
    """Self-attention of tokens [N, T, width], with normalised queries and keys (Henry et al. 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.last = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.gains = nn.Parameter(torch.ones(2, 1, width // heads))  # of queries and keys

    def forward(self, x: Tensor, rotation: Rotation) -> Tensor:
        parts = self.first(x).unflatten(2, (3, self.heads, -1))  # [N, T, 3, heads, D]
        turned = rotation(normalise_tokens(parts[:, :, :2].float()) * self.gains).to(parts.dtype)
        q, k, v = (part.transpose(1, 2) for part in (turned[:, :, 0], turned[:, :, 1], parts[:, :, 2]))
        return self.last(attend(q, k, v).transpose(1, 2).flatten(2))


class SwiGLU(nn.Module):
    """Two layers, the first gated: W(SiLU(Ux)·Vx), with 2/3 of the usual 4·width inside. Shazeer 2020."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(1, round(8 * width / 3 / 8)) * 8
        self.first, self.last = nn.Linear(width, 2 * inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.first(x).chunk(2, -1)
        return self.last(F.silu(gate) * value)


class StyledBlock(nn.Module):
    """A block of G: tokens [N, T, width], w [N, w_dim] -> tokens. A style scales its inputs and what it adds (adaLN)."""

    def __init__(self, width: int, heads: int, w_dim: int) -> None:
        super().__init__()
        self.attention, self.mlp = TokenAttention(width, heads), SwiGLU(width)
        self.style = nn.Linear(w_dim, 4 * width)

    def forward(self, x: Tensor, w: Tensor, rotation: Rotation) -> Tensor:
        scale, gate, mlp_scale, mlp_gate = self.style(w)[:, None].chunk(4, -1)
        x = torch.addcmul(x, gate, self.attention(normalise_tokens(x) * (1 + scale), rotation))
        return torch.addcmul(x, mlp_gate, self.mlp(normalise_tokens(x) * (1 + mlp_scale)))


class ShiftedBlock(nn.Module):
    """StyledBlock, whose styles also shift inputs (Peebles & Xie 2023), and are strong from the start. Branches are normalised.

    GAT has none of the three. With all of them a small G makes several images of a class (docs/results.md).
    """

    def __init__(self, width: int, heads: int, w_dim: int) -> None:
        super().__init__()
        self.attention, self.mlp = TokenAttention(width, heads), SwiGLU(width)
        self.style = EqualisedLinear(w_dim, 6 * width)

    def forward(self, x: Tensor, w: Tensor, rotation: Rotation) -> Tensor:
        scale, shift, gate, mlp_scale, mlp_shift, mlp_gate = self.style(w)[:, None].chunk(6, -1)
        attended = self.attention(normalise_tokens(x) * (1 + scale) + shift, rotation)
        x = torch.addcmul(x, gate, normalise_tokens(attended))
        return torch.addcmul(x, mlp_gate, normalise_tokens(self.mlp(normalise_tokens(x) * (1 + mlp_scale) + mlp_shift)))


class StyledHead(nn.Module):
    """Tokens [N, T, width], w [N, w_dim] -> values of patches [N, T, outputs]."""

    def __init__(self, width: int, outputs: int, w_dim: int) -> None:
        super().__init__()
        self.style, self.last = nn.Linear(w_dim, width), nn.Linear(width, outputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.last(normalise_tokens(x) * (1 + self.style(w)[:, None]))


class CriticBlock(nn.Module):
    """A block of D: tokens [N, T, width] -> tokens. What it adds starts small (LayerScale; Touvron et al. 2021)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention, self.mlp = TokenAttention(width, heads), SwiGLU(width)
        self.norms = nn.ModuleList(nn.RMSNorm(width) for _ in range(2))
        self.scale, self.mlp_scale = (nn.Parameter(torch.full((width,), LAYER_SCALE)) for _ in range(2))

    def forward(self, x: Tensor, rotation: Rotation) -> Tensor:
        x = torch.addcmul(x, self.scale, self.attention(self.norms[0](x), rotation))
        return torch.addcmul(x, self.mlp_scale, self.mlp(self.norms[1](x)))


def initialise_transformer_weights(net: nn.Module) -> None:
    """Glorot's uniform weights and biases of 0; the linear layers that read styles have a gain of MODULATION_GAIN."""
    styles = {id(module.style) for module in net.modules() if isinstance(module, StyledBlock | StyledHead)}
    for module in net.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, MODULATION_GAIN if id(module) in styles else 1.0)
            if module.bias is not None:  # pyright: ignore[reportUnnecessaryComparison]
                nn.init.zeros_(module.bias)
