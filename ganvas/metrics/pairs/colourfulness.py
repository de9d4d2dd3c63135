"""How colourful pictures are, beside the truth. Hasler & Süsstrunk 2003."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...configuration import config
from .pixels import check_pair, round_to_pixels


@config
class Colourfulness:
    """ "colourfulness" of the samples, and "true_colourfulness" of those that they are compared with.

    0 for grey pictures, about 50 for colourful photographs; of 8-bit pixels. Pixel errors prefer grey to a wrong colour, so
    that a colouriser with good ones may still be pale. Without three colours both are 0.
    """

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"colourfulness": False, "true_colourfulness": False}

    def __call__(self, x: Tensor, other: Tensor) -> dict[str, Tensor]:
        check_pair(x, other, "colourfulness")
        values = (measure_colourfulness(round_to_pixels(image)) for image in (x, other))
        return dict(zip(self.lower_is_better, values, strict=True))


def measure_colourfulness(x: Tensor) -> Tensor:
    """Colourfulness [N] of images [N, C, H, W], in their unit. Hasler & Süsstrunk 2003, section 7."""
    if x.shape[1] != 3:
        return x.new_zeros(len(x))
    red, green, blue = x.flatten(2).unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue])
    spread = opponents.var(2, correction=0).sum(0).sqrt()
    return spread + 0.3 * opponents.mean(2).square().sum(0).sqrt()
