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

    z holds numbers for the window, numbers for each step, and those that draw each step's categories. The window's numbers
    become curves: sums of slow cosines over time. A rank is a level plus a sum of steps, since most series wander. Gates make
    steps small: a thermometer shows nearly the same for hours.
    cells: [N, 2, T, W], the known parts of x and where they are known. They come out as they are. Anchored ranks go on from
    the known ones: the network says how they move.
    """

    curves: Tensor

    def __init__(
        self,
        spec: Spec,
        z_window: int,
        z_step: int,
        trunk: int,
        width: int,
        blocks: int,
        curves: int,
        is_anchored: bool = False,
    ) -> None:
        super().__init__()
        self.is_anchored = is_anchored
        self.fields = WindowFields(spec)
        steps, ranks, known = self.fields.steps, self.fields.rank_count, 2 * self.fields.width
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
        self.last = nn.Conv1d(width, self.fields.width + 2 * ranks, 1)
        with torch.no_grad():
            biases = self.last.bias
            assert biases is not None
            biases[: self.fields.width].copy_(self.fields.rows.first_biases)

    def forward(self, z: Tensor, cells: Tensor | None = None) -> Tensor:
        of_window, of_steps, draws = z.split(self.z_sizes, 1)
        u = torch.special.ndtr(draws).unflatten(1, (self.fields.steps, -1))
        h = self.trunk(self.first(of_window) + self.read_known(cells)).unflatten(1, (-1, len(self.curves)))
        h = h @ self.curves.to(h.dtype) + self.noise(of_steps.unflatten(1, (-1, self.fields.steps)))
        if cells is not None and self.known_steps is not None:
            h = h + self.known_steps(cells.transpose(2, 3).flatten(1, 2))
        outputs = self.last(self.blocks(h)).float().transpose(1, 2)
        outputs = self.move_ranks(outputs)
        if cells is not None and self.is_anchored:
            outputs = self.anchor_ranks(outputs, cells)
        x = self.fields.draw(outputs, u)
        return x if cells is None else torch.where(cells[:, 1] > 0, cells[:, 0], x)

    def read_known(self, cells: Tensor | None) -> Tensor | float:
        """What known cells [N, 2, T, W] say of the window as a whole, [N, trunk]."""
        if cells is None or self.known is None:
            return 0.0
        known = cells.transpose(2, 3).flatten(1, 2) @ self.curves.T / math.sqrt(self.fields.steps)
        return self.known(known.flatten(1))

    def move_ranks(self, outputs: Tensor) -> Tensor:
        """The last layer's [N, T, W + 2 ranks] -> [N, T, W]: each rank is its level, and the sum of its steps so far."""
        ranks = self.fields.rank_count
        values, levels, steps, gates = outputs.split((self.fields.width - ranks, ranks, ranks, ranks), 2)
        sums = (steps * gates.sigmoid()).cumsum(1) / math.sqrt(self.fields.steps)
        return torch.cat([values, levels + sums], 2)

    def anchor_ranks(self, outputs: Tensor, cells: Tensor) -> Tensor:
        """Outputs [N, T, W] whose ranks pass through those that are known, so that what is generated goes on from there."""
        places, tied, values = self.fields.rows.rank_places, self.fields.rows.where_ranks, self.fields.rows.where_values
        counts = torch.ones_like(cells[:, 0]).index_copy(2, tied, cells[:, 0][..., values])  # a spike has no rank
        is_known = (cells[:, 1] * counts)[..., places] > 0
        ranks = outputs[..., outputs.shape[2] - len(places) :]
        gaps = interpolate_steps(cells[:, 0][..., places].to(ranks.dtype) - ranks, is_known)
        return torch.cat([outputs[..., : outputs.shape[2] - len(places)], ranks + gaps], 2)


def interpolate_steps(values: Tensor, is_known: Tensor) -> Tensor:
    """Values [N, T, C] between those that are known, bool [N, T, C]: on a line from one to the next, and level beyond them.

    0 where a column knows none.
    """
    count = values.shape[1]
    steps = torch.arange(count, device=values.device)[None, :, None].expand_as(is_known)
    before = torch.where(is_known, steps, -1).cummax(1).values
    after = torch.where(is_known, steps, count).flip(1).cummin(1).values.flip(1)
    has_before, has_after = before >= 0, after < count
    first, last = (values.gather(1, index.clamp(0, count - 1)) for index in (before, after))
    share = (steps - before) / (after - before).clamp(min=1)
    share = torch.where(has_before, torch.where(has_after, share.to(values.dtype), 0.0), 1.0)
    return torch.lerp(first, last, share) * (has_before | has_after)


def build_cosines(count: int, steps: int) -> Tensor:
    """The slowest cosines over `steps`, [count, steps]; the first one is constant (DCT-II)."""
    places = (torch.arange(steps) + 0.5) / steps
    return torch.cos(math.pi * torch.arange(count)[:, None] * places)
