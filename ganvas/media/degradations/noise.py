"""Noisy pictures."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...configuration import config
from ...errors import require
from .degradation import draw_choices, draw_uniform, replace_colours, select_colours

MAX_SIGMA, MAX_GRAIN = 127.0, 10.0


@config
class Noise:
    """Noise of one strength for each picture: Gaussian, or like few photons (Poisson), which is stronger in light parts.

    sigma: the standard deviation of Gaussian noise in levels of 255, from and to.
    poisson: the share of pictures that get Poisson noise instead.
    grain: its strength, from and to: at 1, white has a standard deviation of 16 levels.
    gray: the share of pictures whose channels all get the same noise.
    """

    sigma: tuple[float, float] = (1.0, 25.0)
    poisson: float = 0.0
    grain: tuple[float, float] = (0.05, 3.0)
    gray: float = 0.0

    def __post_init__(self) -> None:
        require(
            0 <= self.sigma[0] <= self.sigma[1] <= MAX_SIGMA, "sigma", self.sigma, f"two rising numbers from 0 to {MAX_SIGMA}"
        )
        require(
            0 <= self.grain[0] <= self.grain[1] <= MAX_GRAIN, "grain", self.grain, f"two rising numbers from 0 to {MAX_GRAIN}"
        )
        require(0 <= self.poisson <= 1, "poisson", self.poisson, "from 0 to 1")
        require(0 <= self.gray <= 1, "gray", self.gray, "from 0 to 1")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        count, colours = len(x), select_colours(x)
        light = (colours.float().cpu() + 1) / 2
        sigmas = draw_uniform(self.sigma, (count, 1, 1, 1), generator) / 255
        noise = torch.randn(light.shape, generator=generator) * sigmas
        if self.poisson:
            grains = draw_uniform(self.grain, (count, 1, 1, 1), generator)
            photons = torch.poisson(light * 255, generator=generator) / 255
            is_poisson = draw_choices(self.poisson, count, generator)
            noise = torch.where(is_poisson[:, None, None, None], (photons - light) * grains, noise)
        if self.gray:
            is_gray = draw_choices(self.gray, count, generator)
            noise = torch.where(is_gray[:, None, None, None], noise[:, :1].expand_as(noise), noise)
        return {"source": replace_colours(x, (colours + 2 * noise.to(x.device)).clamp(-1.0, 1.0))}
