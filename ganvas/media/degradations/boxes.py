"""Pictures with a rectangular hole: a source of inpainting."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...configuration import config
from ...errors import require
from .degradation import draw_uniform


@config
class Boxes:
    """A rectangle of each picture is cut out.

    side: its height and width as shares of the picture's, from and to.
    """

    side: tuple[float, float] = (0.375, 0.5625)

    def __post_init__(self) -> None:
        require(0 < self.side[0] <= self.side[1] < 1, "side", self.side, "two rising numbers between 0 and 1")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        inside = [self._draw_interval(len(x), side, generator) for side in x.shape[2:]]
        return cut_holes(x, inside[0][:, :, None] & inside[1][:, None, :])

    def _draw_interval(self, count: int, side: int, generator: torch.Generator) -> Tensor:
        """The pixels of one axis that lie inside, bool [count, side]."""
        lengths = (draw_uniform(self.side, (count,), generator) * side).round().clamp(1, side - 1)
        starts = (torch.rand(count, generator=generator) * (side - lengths + 1)).floor()
        pixels = torch.arange(side)
        return (pixels >= starts[:, None]) & (pixels < (starts + lengths)[:, None])


def cut_holes(x: Tensor, is_hole: Tensor) -> Mapping[str, Tensor]:
    """x [N, C, H, W] with holes, bool [N, H, W], set to 0, and the mask [N, 1, H, W], which is 1 there."""
    mask = is_hole[:, None].to(x.device, x.dtype)
    return {"source": x * (1 - mask), "mask": mask}
