"""An augmentation of the pictures in samples that have other parts too."""

from typing import Any

import torch
from torch import Tensor

from ..configuration import config
from ..core import Augment, Clock, Nets
from ..errors import GanvasError
from .diffaugment import DiffAugment


@config
class PictureAugment:
    """Changes the picture alone: x [N, F] -> [N, F]. Words stay as they are, so `augment` must leave the pairing intact."""

    augment: Augment = DiffAugment(colour=False, cut=0.0)

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        """Raises GanvasError for networks of samples without parts."""
        layout: Any = getattr(nets["D"], "layout", None)
        if layout is None:
            raise GanvasError("PictureAugment is for samples in parts, and D sees others: take its `augment` alone")
        if not layout.picture:
            return x
        picture = self.augment(layout.cut_picture(x), clock, nets)
        return torch.cat([picture.flatten(1), layout.cut_words(x)], 1)
