"""Pictures with ringing at edges, as sharpening and compression leave it. Wang et al. 2021 (Real-ESRGAN), section 3.3."""

from collections.abc import Mapping
from math import pi

import torch
from torch import Tensor

from ...configuration import config
from ...errors import require
from .degradation import draw_uniform, filter_each, limit_radius


@config
class Sinc:
    """An ideal low-pass filter, cut off by a square: what it stops rings around edges.

    cutoff: the highest frequency that passes, in radians a pixel, from and to; π is the highest there is.
    radius: of the kernel in pixels, from and to.
    """

    cutoff: tuple[float, float] = (pi / 3, pi)
    radius: tuple[int, int] = (3, 10)

    def __post_init__(self) -> None:
        require(0 < self.cutoff[0] <= self.cutoff[1] <= pi, "cutoff", self.cutoff, "two rising numbers above 0, up to π")
        require(1 <= self.radius[0] <= self.radius[1] <= 30, "radius", self.radius, "two rising numbers from 1 to 30")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        return {"source": self.filter_pictures(x, *self.draw_filters(len(x), generator))}

    def draw_filters(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(cutoffs, radii), [count] each."""
        cutoffs = draw_uniform(self.cutoff, (count,), generator)
        return cutoffs, torch.randint(self.radius[0], self.radius[1] + 1, (count,), generator=generator)

    def filter_pictures(self, x: Tensor, cutoffs: Tensor, radii: Tensor) -> Tensor:
        """Every picture of x [N, C, H, W] by a filter with its own cutoff and radius, [N] each."""
        return filter_each(x, build_sinc_kernels(cutoffs, radii, limit_radius(self.radius[1], x)))


def build_sinc_kernels(cutoffs: Tensor, radii: Tensor, radius: int) -> Tensor:
    """Round low-pass filters [N, 2 radius + 1, …] of sum 1, from cutoffs [N]; each is 0 beyond its own radius [N]."""
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    distances = torch.hypot(offsets[:, None], offsets[None, :])
    distances[radius, radius] = 1.0  # replaced below
    cutoffs = cutoffs[:, None, None]
    kernels = cutoffs * torch.special.bessel_j1(cutoffs * distances) / (2 * pi * distances)
    kernels[:, radius, radius] = cutoffs[:, 0, 0].square() / (4 * pi)
    reach = torch.maximum(offsets.abs()[:, None], offsets.abs()[None, :])
    kernels = torch.where(reach <= radii[:, None, None], kernels, 0.0)
    return kernels / kernels.sum((1, 2), keepdim=True)
