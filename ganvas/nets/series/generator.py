"""A convolutional generator of windows: slow curves for the window as a whole, then convolutions over its steps."""

import math

import torch
from torch import Tensor, nn

from ...core import GeneratorNetwork, Spec
from ..tables.rows import CELLS, ResidualBlock
from .fields import WindowFields


class DilatedBlock(nn.Module):
    """h + convolution(SiLU(h)), over three steps that lie `dilation` apart: [N, C, T]."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.convolution(nn.functional.silu(h))


class WindowGenerator(GeneratorNetwork):
    """z [N, z_dim] -> x [N, T, W].

    z holds numbers for the window, numbers for each step, and those that draw the categories of each step. The window's
    numbers become curves: sums of slow cosines over time. Ranks are a level and a sum of steps, since most series wander.
    cells: [N, 2, T, W], the known parts of x and where they are known. They come out as they are.
    """

    curves: Tensor

    def __init__(self, spec: Spec, z_window: int, z_step: int, trunk: int, width: int, blocks: int, curves: int) -> None:
        super().__init__()
        self.fields = WindowFields(spec)
        steps, known = self.fields.steps, 2 * self.fields.width
        self.z_sizes = (z_window, z_step * steps, self.fields.draw_count)
        self.z_dim = sum(self.z_sizes)
        self.conditions = (CELLS,) if CELLS in spec.conditions else ()
        self.register_buffer("curves", build_cosines(min(curves, steps), steps), persistent=False)
        self.first = nn.Linear(z_window, trunk)
        self.known = nn.Linear(known * len(self.curves), trunk, bias=False) if self.conditions else None
        self.known_steps = nn.Conv1d(known, width, 3, padding=1, bias=False) if self.conditions else None
        self.trunk = nn.Sequential(ResidualBlock(trunk), nn.SiLU(), nn.Linear(trunk, width * len(self.curves)))
        self.noise = nn.Conv1d(z_step, width, 1)
        self.blocks = nn.Sequential(*(DilatedBlock(width, 2 ** (k % 5)) for k in range(blocks)), nn.SiLU())
        self.last = nn.Conv1d(width, self.fields.width + self.fields.rank_count, 1)
        with torch.no_grad():
            self.last.bias[: self.fields.width].copy_(self.fields.rows.first_biases)

    def forward(self, z: Tensor, cells: Tensor | None = None) -> Tensor:
        of_window, of_steps, draws = z.split(self.z_sizes, 1)
        h = self.first(of_window)
        known = None if cells is None else cells.transpose(2, 3).flatten(1, 2)  # [N, 2 W, T]
        if known is not None and self.known is not None:
            h = h + self.known((known @ self.curves.T).flatten(1) / math.sqrt(self.fields.steps))
        h = self.trunk(h).unflatten(1, (-1, len(self.curves))) @ self.curves.to(h.dtype)
        h = h + self.noise(of_steps.unflatten(1, (-1, self.fields.steps)))
        if known is not None and self.known_steps is not None:
            h = h + self.known_steps(known)
        x = self.fields.draw(
            self.sum_steps(self.last(self.blocks(h)).float()), torch.special.ndtr(draws).unflatten(1, (self.fields.steps, -1))
        )
        return x if cells is None else torch.where(cells[:, 1] > 0, cells[:, 0], x)

    def sum_steps(self, outputs: Tensor) -> Tensor:
        """The last layer's [N, W + ranks, T] -> [N, T, W]: to each rank comes the sum of its steps so far."""
        levels, steps = outputs.transpose(1, 2).split((self.fields.width, self.fields.rank_count), 2)
        sums = steps.cumsum(1) / math.sqrt(self.fields.steps)
        return (
            torch.cat([levels[..., : -self.fields.rank_count], levels[..., -self.fields.rank_count :] + sums], 2)
            if self.fields.rank_count
            else levels
        )


def build_cosines(count: int, steps: int) -> Tensor:
    """The slowest cosines over `steps`, [count, steps]; the first one is constant (DCT-II)."""
    places = (torch.arange(steps) + 0.5) / steps
    return torch.cos(math.pi * torch.arange(count)[:, None] * places)
