"""The condition of windows that are partly known: the rest is generated to fit, such as a gap, or what comes next."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ...core import Spec
from ...errors import GanvasError
from ..table.cells import CELLS
from ..table.chance import draw_cell_places, hash_rows
from ..table.columns import ColumnCodec


class ColumnsOfWindows(Protocol):
    """What is asked here of the codec of windows."""

    @property
    def columns(self) -> tuple[ColumnCodec, ...]: ...
    @property
    def window(self) -> int: ...
    @property
    def spec(self) -> Spec: ...


@dataclass(frozen=True)
class KnownWindows:
    """Known cells of a window, float32 [2, T, W]: the known parts of x, and 1 where they are known. Nothing by default.

    It follows from the codec, so it is not saved by itself.
    """

    codec: ColumnsOfWindows

    @property
    def kind(self) -> str:
        return CELLS

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.codec.columns if column.fields)

    def parse(self, text: str) -> Tensor:
        raise GanvasError("windows of series take no conditions in words: complete a table that holds what you know of them")

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.zeros(n, 2, *self.codec.spec.shape)

    def describe(self) -> str:
        return f"what is known of {self.size} columns"


def draw_known_cells(numbers: Tensor, steps: int, is_static: Tensor, share: float) -> Tensor:
    """Which cells of windows are known, bool [N, T, C], by a random integer for each window, int64 [N].

    In `share` of the windows something is known, in equal parts: cells at random, the first steps, or all but a stretch of
    steps. Statics [C] are known at all steps or at none.
    """
    hashes = hash_rows(numbers)
    u = draw_cell_places(hashes, 4 + len(is_static))
    has_known, pattern, first, second, of_columns = u[:, 0] < share, (3 * u[:, 1]).long(), u[:, 2:3], u[:, 3:4], u[:, 4:]
    places = (torch.arange(steps, device=numbers.device) + 0.5)[None] / steps
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    is_before, is_outside = places < first, (places < low) | (places > high)
    step_hashes = hash_rows((hashes[:, None] + torch.arange(1, steps + 1, device=numbers.device)).flatten())
    of_cells = draw_cell_places(step_hashes, len(is_static)).view(len(numbers), steps, -1)
    is_drawn = torch.where(is_static, of_columns[:, None], of_cells) < first[..., None]
    whole_steps = torch.where((pattern == 1)[:, None], is_before, is_outside)[..., None] | is_static
    is_known = torch.where((pattern == 0)[:, None, None], is_drawn, whole_steps)
    return is_known & has_known[:, None, None]
