"""Small pictures: the source of super-resolution."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ...configuration import config
from ...errors import GanvasError, require


@config
class Smaller:
    """Both sides `factor` times smaller, by a bicubic filter over all pixels, as in Pillow (Keys 1981, a = -0.5)."""

    factor: int = 4

    def __post_init__(self) -> None:
        require(2 <= self.factor <= 16, "factor", self.factor, "from 2 to 16")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        return {"source": shrink(x, check_factor(x, self.factor))}


def check_factor(x: Tensor, factor: int) -> tuple[int, int]:
    """(height, width) of x [N, C, H, W] divided by a factor. Raises GanvasError if they do not divide."""
    height, width = x.shape[2:]
    if height % factor or width % factor:
        sides = "x".join(str(max(factor, round(side / factor) * factor)) for side in (width, height))
        raise GanvasError(f"pictures of {width}x{height} px cannot become {factor} times smaller: set their size to {sides}")
    return height // factor, width // factor


def shrink(x: Tensor, size: tuple[int, int]) -> Tensor:
    """x [N, C, H, W] brought to (height, width), by the bicubic filter; overshoot is clipped."""
    return interpolate(x, size, mode="bicubic", antialias=True).clamp(-1.0, 1.0)
