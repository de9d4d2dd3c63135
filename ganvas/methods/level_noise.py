"""Noise on the levels of images: much on the first, hardly any on the last. Hyun et al. 2025 (GAT), section 3.

What early blocks of G make is judged by what noise leaves visible, which is coarse.
"""

from functools import partial

import torch
from torch import Tensor

from ..configuration import config
from ..core import Augment, AuxiliaryLoss, Clock, Nets
from ..errors import GanvasError, require
from .replay import ReplayRng


@config
class LevelNoise:
    """(1 - t)·x + t·n with n ~ N(0, I), for images of several levels x [N, levels·C, H, W].

    The noise of a level is that of the next one, scaled, and more: a first level shows nothing that the last does not.

    levels: how many; the channels of each follow those of the one before.
    base: t is 1 - base^(1 - i / (levels - 1)) + floor at level i; 0.885, 0.76, 0.51 and 0.01 for 4 levels.
    augment: a change before the noise, the same one for all levels of a sample.
    """

    levels: int = 4
    base: float = 0.125
    floor: float = 0.01
    augment: Augment | None = None

    def __post_init__(self) -> None:
        require(1 <= self.levels <= 100, "levels", self.levels, "from 1 to 100")
        require(0 < self.base <= 1, "base", self.base, "above 0, at most 1")
        require(0 <= self.floor < self.base, "floor", self.floor, f"0 or more, and below `base` ({self.base})")
        if isinstance(self.augment, AuxiliaryLoss):
            raise GanvasError(f"levels cannot have {type(self.augment).__name__}, which adapts to D: set DiffAugment, or none")

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        images = x.unflatten(1, (self.levels, -1)).unbind(1)
        if self.augment is not None:
            replay = ReplayRng(x.device)
            images = tuple(replay(partial(self.augment, image, clock, nets)) for image in images)
        noisy, noise, finer = list[Tensor](), torch.zeros_like(images[0]), 0.0
        for image, t in zip(reversed(images), reversed(self.compute_shares()), strict=True):
            kept = (1 - t) / (1 - finer)  # a level keeps this much of the next one
            noise = kept * noise + (t**2 - (kept * finer) ** 2) ** 0.5 * torch.randn_like(image)
            noisy.append((1 - t) * image + noise)
            finer = t
        return torch.cat(noisy[::-1], 1)

    def compute_shares(self) -> list[float]:
        """t of each level, the first level first."""
        steps = max(1, self.levels - 1)
        return [1 - self.base ** ((self.levels - 1 - level) / steps) + self.floor for level in range(self.levels)]
