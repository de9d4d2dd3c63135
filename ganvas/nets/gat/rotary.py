"""Rotary positions in two dimensions: attention sees how far tokens lie apart. Su et al. 2021; Heo et al. 2024 for images.

Half of a head's pairs of numbers turn with the row, the other half with the column.
"""

import torch
from torch import Tensor, nn

BASE = 100.0  # the slowest pair turns by 1/BASE of the quickest, which turns by one radian for each token


def compute_angles(rows: int, columns: int, head_width: int) -> Tensor:
    """By how much each pair of numbers turns at each token, [rows·columns, head_width / 2], in radians."""
    speeds = BASE ** -torch.linspace(0, 1, head_width // 4)
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.cat([place.flatten()[:, None] * speeds for place in (row, column)], 1)


class Rotation(nn.Module):
    """Turns queries and keys [N, T, …, D] by their places. `leading` tokens before those of the grid do not turn."""

    cos: Tensor  # of each angle, [T, D / 2]
    sin: Tensor

    def __init__(self, grid: tuple[int, int], head_width: int, leading: int = 0) -> None:
        super().__init__()
        angles = torch.cat([torch.zeros(leading, head_width // 2), compute_angles(*grid, head_width)])
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, -1)
        cos, sin = (part.view(-1, *[1] * (x.dim() - 3), part.shape[-1]) for part in (self.cos, self.sin))
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)
