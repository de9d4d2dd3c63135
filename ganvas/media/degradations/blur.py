"""Blurred pictures."""

from collections.abc import Mapping
from math import ceil, pi

import torch
from torch import Tensor

from ...configuration import config
from ...errors import require
from .degradation import draw_choices, draw_uniform, filter_each, filter_rows_and_columns, limit_radius

RADIUS_PER_SIGMA = 3  # where a kernel ends


@config
class Blur:
    """A Gaussian blur, drawn for each picture.

    sigma: its width in pixels, from and to.
    stretched: the share of pictures whose blur has two widths, along two axes that are turned at random.
    """

    sigma: tuple[float, float] = (0.2, 3.0)
    stretched: float = 0.0

    def __post_init__(self) -> None:
        require(0 < self.sigma[0] <= self.sigma[1] <= 50, "sigma", self.sigma, "two rising numbers above 0, up to 50")
        require(0 <= self.stretched <= 1, "stretched", self.stretched, "from 0 to 1")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        count = len(x)
        sigmas = draw_uniform(self.sigma, (count, 2), generator)
        is_stretched = draw_choices(self.stretched, count, generator)
        sigmas[:, 1] = torch.where(is_stretched, sigmas[:, 1], sigmas[:, 0])
        angles = draw_uniform((0.0, pi), (count,), generator)
        radius = limit_radius(ceil(RADIUS_PER_SIGMA * self.sigma[1]), x)
        return {"source": blur_each(x, sigmas, angles, is_stretched, radius)}


def blur_each(x: Tensor, sigmas: Tensor, angles: Tensor, is_stretched: Tensor, radius: int) -> Tensor:
    """Blur every picture of x [N, C, H, W] by its own widths [N, 2] and angle [N]. A round blur goes along each axis."""
    if not is_stretched.any():
        return filter_rows_and_columns(x, build_gaussian_rows(sigmas[:, 0], radius))
    if is_stretched.all():
        return filter_each(x, build_gaussian_kernels(sigmas, angles, radius))
    blurred = torch.empty_like(x)
    for rows in (is_stretched, ~is_stretched):
        blurred[rows] = blur_each(x[rows], sigmas[rows], angles[rows], is_stretched[rows], radius)
    return blurred


def build_gaussian_rows(sigmas: Tensor, radius: int) -> Tensor:
    """Kernels of sum 1, [N, 2 radius + 1], from widths [N]."""
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    return torch.softmax(-(offsets / sigmas[:, None]).square() / 2, 1)


def build_gaussian_kernels(sigmas: Tensor, angles: Tensor, radius: int) -> Tensor:
    """Kernels of sum 1, [N, 2 radius + 1, …], from widths [N, 2] along two axes that are turned by angles [N]."""
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    down, right = torch.meshgrid(offsets, offsets, indexing="ij")
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    along, across = cos * right + sin * down, cos * down - sin * right  # [N, K, K]
    exponents = (along / sigmas[:, 0, None, None]).square() + (across / sigmas[:, 1, None, None]).square()
    kernels = torch.exp(-exponents / 2)
    return kernels / kernels.sum((1, 2), keepdim=True)
