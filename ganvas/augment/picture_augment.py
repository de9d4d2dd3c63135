"""An augmentation of the pictures in samples that have other parts too."""

from typing import Any

import torch
from torch import Tensor

from ..configuration import config
from ..core import Augment, Clock, Nets
from .diffaugment import DiffAugment


@config
class PictureAugment:
    """Changes the picture in each sample, x [N, F] -> [N, F], by an augmentation that leaves it fit its words."""

    augment: Augment = DiffAugment(colour=False, cut=0.0)

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        """Samples that are pictures, and nothing else, are changed as a whole."""
        layout: Any = getattr(nets["D"], "layout", None) if "D" in nets else None
        if layout is None:
            return self.augment(x, clock, nets)
        if not layout.picture:
            return x
        picture = self.augment(layout.cut_picture(x), clock, nets)
        return torch.cat([picture.flatten(1), layout.cut_words(x)], 1)
