"""A critic of windows. It sees values, ranks in pieces, and what changes from one step to the next."""

import torch
from torch import Tensor, nn

from ...core import CriticOutput, Spec
from ..tables.rows import CELLS
from .fields import WindowFields

CHANGE_SCALES = (2.0, 16.0)  # a rank changes little in one step: hourly temperature by 0.1, where it varies by 0.6
PATCH, STRIDE = 4, 2  # steps that a patch holds, and from one patch to the next
MAX_PATCHES = 16  # of a window, for the last layers, which see all of them at once


class PatchLayer(nn.Module):
    """[N, T, C] -> [N, T / 2, width]: LeakyReLU(linear(each four steps)), a convolution that runs as one product."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(PATCH * size, width)

    def forward(self, h: Tensor) -> Tensor:
        missing = max(0, PATCH - h.shape[1]) + (h.shape[1] % STRIDE)
        patches = nn.functional.pad(h, (0, 0, 0, missing)).unfold(1, PATCH, STRIDE)
        return nn.functional.leaky_relu(self.linear(patches.flatten(2)), 0.2)


def count_patches(steps: int) -> int:
    """How many patches a PatchLayer makes of so many steps."""
    return (max(PATCH, steps + steps % STRIDE) - PATCH) // STRIDE + 1


class WindowCritic(nn.Module):
    """x [N, T, W] -> CriticOutput. Layers of patches halve the steps until sixteen or fewer are left."""

    ranks: Tensor

    def __init__(self, spec: Spec, width: int, widths: tuple[int, ...], pieces: int) -> None:
        super().__init__()
        fields = WindowFields(spec)
        self.pieces, ranks = pieces, fields.rows.rank_places
        self.register_buffer("ranks", torch.tensor(ranks, dtype=torch.long), persistent=False)
        known = fields.width if CELLS in spec.conditions else 0
        size, steps, patches = (
            fields.width + (len(CHANGE_SCALES) + pieces) * len(ranks) + known,
            fields.steps,
            list[nn.Module](),
        )
        while not patches or steps > MAX_PATCHES:
            patches.append(PatchLayer(size, width))
            size, width, steps = width, min(2 * width, widths[0]), count_patches(steps)
        sizes = (size * steps, *widths)
        layers = [layer for pair in zip(sizes, widths, strict=False) for layer in (nn.Linear(*pair), nn.LeakyReLU(0.2))]
        self.patches, self.layers = nn.Sequential(*patches), nn.Sequential(nn.Flatten(), *layers)
        self.last = nn.Linear(sizes[-1], 1)

    def forward(self, x: Tensor, cells: Tensor | None = None) -> CriticOutput:
        parts = [x, *self.look_at_ranks(x[..., self.ranks]), *([] if cells is None else [cells[:, 1]])]
        h = self.layers(self.patches(torch.cat(parts, 2)))
        return CriticOutput(self.last(h).squeeze(1), h)

    def look_at_ranks(self, ranks: Tensor) -> list[Tensor]:
        """Of ranks [N, T, R]: their changes, and the lengths of their pieces that lie below them."""
        steps = nn.functional.pad(ranks[:, 1:] - ranks[:, :-1], (0, 0, 1, 0))
        changes = [torch.tanh(scale * steps) for scale in CHANGE_SCALES]
        if not self.pieces:
            return changes
        lengths = torch.special.ndtr(ranks)[..., None] * self.pieces - torch.arange(self.pieces, device=ranks.device)
        return [*changes, lengths.clamp(0, 1).flatten(2)]
