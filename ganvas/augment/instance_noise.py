"""Noise on all that D sees, so that the distributions overlap and D cannot be certain. Sønderby et al. 2017, section 2.4."""

import torch
from torch import Tensor

from ..configuration import config
from ..core import Clock, Nets
from ..errors import refuse


@config
class InstanceNoise:
    """x + σn, n ~ N(0, I), real and generated alike; σ falls linearly to 0 at the share `until` of the run."""

    sigma: float = 0.3
    until: float = 0.7

    def __post_init__(self) -> None:
        refuse(not 0 < self.sigma < 1e3, "method.augment.sigma", self.sigma, "above 0", "--method.augment.sigma 0.3")
        refuse(not 0 < self.until <= 1, "method.augment.until", self.until, "in (0, 1]", "--method.augment.until 0.7")

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        remaining_share = 1 - clock.samples / max(1, clock.total) / self.until
        return x + self.sigma * remaining_share * torch.randn_like(x) if remaining_share > 0 else x
