"""Pictures as they come from the web: blurred, resized, noisy and compressed, twice. Wang et al. 2021 (Real-ESRGAN), section 3.

Left out are their generalised and plateau-shaped blurs. Everything else has the published ranges and probabilities.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ...configuration import config
from ...errors import require
from .blur import Blur
from .degradation import Degradation, draw_uniform
from .jpeg import Jpeg
from .noise import Noise
from .sinc import Sinc
from .smaller import check_factor

FILTERS = ("area", "bilinear", "bicubic")
SMALLEST_SIDE = 8  # pixels: no picture becomes smaller on the way
SINC_SHARE = 0.1  # of blurs that are low-pass filters instead
SECOND_BLUR_SHARE = 0.8
FIRST_NOISE = Noise(sigma=(1, 30), poisson=0.5, grain=(0.05, 3.0), gray=0.4)
SECOND_NOISE = Noise(sigma=(1, 25), poisson=0.5, grain=(0.05, 2.5), gray=0.4)
ROUNDS = (  # blur, noise, the smallest and the largest scale, shares of enlarging and of shrinking
    (Blur(sigma=(0.2, 3.0), stretched=0.4), FIRST_NOISE, (0.15, 1.5), (0.2, 0.7)),
    (Blur(sigma=(0.2, 1.5), stretched=0.4), SECOND_NOISE, (0.3, 1.2), (0.3, 0.4)),
)


@config
class Twice:
    """Blur, resizing, noise and JPEG, two times, drawn for each picture; the result is `factor` times smaller.

    final_sinc: the share of pictures that get ringing at the end; 0 leaves it out.
    """

    factor: int = 4
    final_sinc: float = 0.8
    jpeg: Jpeg = Jpeg(quality=(30, 95))

    def __post_init__(self) -> None:
        require(1 <= self.factor <= 16, "factor", self.factor, "from 1 to 16")
        require(0 <= self.final_sinc <= 1, "final_sinc", self.final_sinc, "from 0 to 1")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        size = check_factor(x, self.factor)
        return {"source": torch.cat([self._degrade_picture(picture[None], size, generator) for picture in x])}

    def _degrade_picture(self, x: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        """One picture [1, C, H, W] brought to (height, width)."""
        source, sides = x, (x.shape[2], x.shape[3])
        for number, (blur, noise, limits, shares) in enumerate(ROUNDS):
            if number == 0 or _draw_number(generator) < SECOND_BLUR_SHARE:
                source = _apply(Sinc() if _draw_number(generator) < SINC_SHARE else blur, source, generator)
            scale = _draw_scale(limits, shares, generator)
            source = _resize(source, (round(sides[0] * scale), round(sides[1] * scale)), generator)
            source = _apply(noise, source, generator)
            sides = size  # the second round's scale is of the final size
            if number == 0:
                source = _apply(self.jpeg, source, generator)
        if _draw_number(generator) < 0.5:
            return _apply(self.jpeg, self._finish(source, size, generator), generator)
        return self._finish(_apply(self.jpeg, source, generator), size, generator)

    def _finish(self, source: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        source = _resize(source, size, generator, smallest_side=1)
        return _apply(Sinc(), source, generator) if _draw_number(generator) < self.final_sinc else source


def _draw_number(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def _draw_scale(limits: tuple[float, float], shares: tuple[float, float], generator: torch.Generator) -> float:
    """A scale between the limits: above 1 for the first share, below 1 for the second, else 1."""
    number = _draw_number(generator)
    if number < shares[0]:
        return float(draw_uniform((1.0, limits[1]), (), generator))
    return float(draw_uniform((limits[0], 1.0), (), generator)) if number < sum(shares) else 1.0


def _apply(degradation: Degradation, x: Tensor, generator: torch.Generator) -> Tensor:
    return degradation(x, generator)["source"].clamp(-1.0, 1.0)


def _resize(x: Tensor, size: tuple[int, int], generator: torch.Generator, smallest_side: int = SMALLEST_SIDE) -> Tensor:
    """x brought to (height, width) by a random filter."""
    mode = FILTERS[int(torch.randint(len(FILTERS), (), generator=generator))]
    size = (max(smallest_side, size[0]), max(smallest_side, size[1]))
    return interpolate(x, size, mode=mode).clamp(-1.0, 1.0)
