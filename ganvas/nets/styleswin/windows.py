"""Attention within square windows of an image, half of the heads in windows shifted by half. Zhang et al. 2022, section 3.2.

Windows and their bias by relative position: Liu et al. 2021 (Swin).
"""

import torch
from torch import Tensor, nn

from ..layers.attending import attend


def split_windows(x: Tensor, window: int) -> Tensor:
    """[N, H, W, …] -> [N, windows, window², …], row by row."""
    x = x.unflatten(2, (-1, window)).unflatten(1, (-1, window))  # [N, H/w, w, W/w, w, …]
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def join_windows(windows: Tensor, window: int, size: int) -> Tensor:
    """[N, windows, window², …] -> [N, size, size, …]: the way back."""
    x = windows.unflatten(2, (window, window)).unflatten(1, (size // window, -1))
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def index_offsets(window: int) -> Tensor:
    """For two tokens of a window, the number of their offset: int64 [window², window²] below (2·window - 1)²."""
    places = torch.cartesian_prod(torch.arange(window), torch.arange(window)).view(-1, 2)
    offsets = places[:, None] - places + window - 1
    return offsets[..., 0] * (2 * window - 1) + offsets[..., 1]


def mask_rolled_windows(size: int, window: int, shift: int) -> Tensor:
    """[windows, 1, window², window²]: 0, or minus infinity for tokens that share a window only because the image is rolled."""
    part = torch.zeros(size, dtype=torch.int64)
    part[-window:], part[-shift:] = 1, 2
    parts = split_windows((3 * part[:, None] + part)[None], window)[0]  # [windows, window²]
    is_far = parts[:, None] != parts[..., None]
    return torch.zeros(is_far.shape).masked_fill(is_far, -torch.inf)[:, None]


class WindowAttention(nn.Module):
    """Attention of heads in one way to cut windows: q, k, v [N, S, S, heads, D] each -> [N, S, S, heads, D]."""

    offsets: Tensor
    mask: Tensor | None

    def __init__(self, heads: int, size: int, window: int, shift: int) -> None:
        super().__init__()
        self.size, self.window, self.shift = size, window, shift
        self.bias = nn.Parameter(0.02 * torch.randn(heads, (2 * window - 1) ** 2))
        self.register_buffer("offsets", index_offsets(window), persistent=False)
        self.register_buffer("mask", mask_rolled_windows(size, window, shift) if shift else None, persistent=False)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        bias = self.bias[:, self.offsets]  # [heads, window², window²]
        y = attend(self.cut(q), self.cut(k), self.cut(v), bias if self.mask is None else bias + self.mask)
        x = join_windows(y.transpose(2, 3), self.window, self.size)
        return x.roll((self.shift, self.shift), (1, 2)) if self.shift else x

    def cut(self, x: Tensor) -> Tensor:
        """[N, S, S, heads, D] -> [N, windows, heads, window², D]."""
        x = x.roll((-self.shift, -self.shift), (1, 2)) if self.shift else x
        return split_windows(x, self.window).transpose(2, 3)


class DoubleAttention(nn.Module):
    """x [N, S, S, width] -> the same shape: half of the heads in plain windows, the others in shifted ones."""

    def __init__(self, width: int, heads: int, size: int, window: int) -> None:
        super().__init__()
        window = min(window, size)
        shift = window // 2 if window < size else 0
        self.heads, self.first, self.last = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.halves = nn.ModuleList(WindowAttention(heads // 2, size, window, by) for by in (0, shift))

    def forward(self, x: Tensor) -> Tensor:
        parts = self.first(x).unflatten(3, (3, 2, self.heads // 2, -1)).unbind(4)  # of each half, [N, S, S, 3, heads / 2, D]
        attended = [half(*part.unbind(3)) for half, part in zip(self.halves, parts, strict=True)]
        return self.last(torch.cat(attended, 3).flatten(3))
