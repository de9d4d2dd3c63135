"""How networks write the fields of windows: each step as a row of a table, statics once, and nothing after the end."""

from itertools import accumulate

import torch
from torch import Tensor, nn

from ...core import Field, Spec
from ...errors import GanvasError
from ..tables.fields import RowFields


class WindowFields(nn.Module):
    """The fields of windows [N, T, W]. Those of one step are the fields of a row."""

    static_outputs: Tensor
    static_draws: Tensor
    outliving: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        if len(spec.shape) != 2:
            raise GanvasError(f"these networks make windows of series, got samples of {spec.shape}: take a recipe for pictures")
        self.steps, self.width = spec.shape
        self.rows = RowFields(Spec((self.width,), spec.fields, {}))
        is_static = _spread(spec.fields, [field.is_static for field in spec.fields])
        outlives = _spread(spec.fields, [field.is_static or field.is_end for field in spec.fields])
        order = self.rows.order
        static_outputs = torch.zeros(self.width, dtype=torch.bool)
        static_outputs[order] = is_static  # outputs lie in the order of groups, see RowFields.draw
        starts = [start for group in self.rows.groups for start in group.starts]
        self.register_buffer("static_outputs", static_outputs, persistent=False)
        self.register_buffer("static_draws", is_static[torch.tensor(starts, dtype=torch.long)], persistent=False)
        self.register_buffer("outliving", outlives.float(), persistent=False)
        ends = [start for field, start in zip(spec.fields, _list_starts(spec.fields), strict=True) if field.is_end]
        self.end_place = ends[0] if ends else None

    @property
    def rank_count(self) -> int:
        return len(self.rows.rank_places)

    @property
    def draw_count(self) -> int:
        """How many uniform numbers a window needs."""
        return self.steps * self.rows.draw_count

    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        """What a network says of each step [N, T, W] -> x [N, T, W]; u [N, T, row draws] decides, from 0 to 1.

        Statics have the mean output over all steps, and the first step's number u.
        """
        if self.static_outputs.any():
            outputs = torch.where(self.static_outputs, outputs.mean(1, keepdim=True), outputs)
            u = torch.where(self.static_draws, u[:, :1], u)
        x = self.rows.draw(outputs.flatten(0, 1), u.flatten(0, 1)).unflatten(0, outputs.shape[:2])
        return x if self.end_place is None else self.drop_ends(x, self.end_place)

    def drop_ends(self, x: Tensor, place: int) -> Tensor:
        """x with 0 in steps that are over, but for statics and for the mark itself. What is over stays over."""
        alive = torch.cat([torch.ones_like(x[:, :1, place]), x[:, 1:, place].cumprod(1)], 1)[..., None]
        x = x * torch.lerp(alive, torch.ones_like(alive), self.outliving)
        return torch.cat([x[..., :place], alive, 1 - alive, x[..., place + 2 :]], 2)


def _list_starts(fields: tuple[Field, ...]) -> list[int]:
    return list(accumulate((field.size for field in fields[:-1]), initial=0))


def _spread(fields: tuple[Field, ...], flags: list[bool]) -> Tensor:
    """A flag for each place in x: bool [W]."""
    return torch.tensor([flag for field, flag in zip(fields, flags, strict=True) for _ in range(field.size)], dtype=torch.bool)
