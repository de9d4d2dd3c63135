"""Pictures with a piece of other colours, as if pasted in: the source of blending."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...configuration import config
from ...errors import require
from .degradation import draw_uniform, replace_colours, select_colours

GAIN, OFFSET = (0.6, 1.3), (-0.1, 0.15)  # of a channel with values from 0 to 1
CENTRE = (0.3, 0.7)  # as a share of the side


@config
class Pasted:
    """An ellipse of the picture, pasted back with changed colours. The mask is 1 inside.

    radius: of the ellipse, as shares of the picture's sides, from and to.
    strength: how much colours change; 0 is not at all.
    """

    radius: tuple[float, float] = (0.15, 0.35)
    strength: float = 1.0

    def __post_init__(self) -> None:
        require(0 < self.radius[0] <= self.radius[1] <= 0.5, "radius", self.radius, "two rising numbers above 0, up to 0.5")
        require(0 <= self.strength <= 2, "strength", self.strength, "from 0 to 2")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        count, channels = select_colours(x).shape[:2]
        mask = self._draw_ellipses(x, generator).to(x.device, x.dtype)
        gains = 1 + self.strength * (draw_uniform(GAIN, (count, channels, 1, 1), generator) - 1)
        offsets = self.strength * draw_uniform(OFFSET, (count, channels, 1, 1), generator)
        light = (select_colours(x) + 1) / 2
        changed = (light * gains.to(x.device) + offsets.to(x.device)).clamp(0.0, 1.0) * 2 - 1
        return {"source": torch.where(mask > 0, replace_colours(x, changed), x), "mask": mask}

    def _draw_ellipses(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """bool [N, 1, H, W]: inside."""
        distances: list[Tensor] = []
        for side in x.shape[2:]:
            centres = draw_uniform(CENTRE, (len(x), 1), generator)
            radii = draw_uniform(self.radius, (len(x), 1), generator)
            distances.append((((torch.arange(side) + 0.5) / side - centres) / radii).square())
        return (distances[0][:, :, None] + distances[1][:, None, :] < 1)[:, None]
