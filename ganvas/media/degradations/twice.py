"""Pictures as they come from the web: blurred, resized, noisy and compressed, twice. Wang et al. 2021 (Real-ESRGAN), section 3.

Left out are their generalised and plateau-shaped blurs. Everything else has the published ranges and probabilities.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ...configuration import config
from ...errors import require
from .blur import Blur
from .degradation import Degradation, draw_uniform
from .jpeg import Jpeg, compress_each
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
        drafts = [self._draft_picture(picture[None], size, generator) for picture in x]
        source = torch.cat([self._resize_draft(draft, size) for draft in drafts])
        return {"source": self._finish(source, drafts)}

    def _draft_picture(self, x: Tensor, sides: tuple[int, int], generator: torch.Generator) -> "Draft":
        """One picture [1, C, H, W] before its last steps, and all draws for these."""
        source, scaled_sides = x, (x.shape[2], x.shape[3])
        for number, (blur, noise, limits, shares) in enumerate(ROUNDS):
            if number == 0 or _draw_number(generator) < SECOND_BLUR_SHARE:
                source = _apply(Sinc() if _draw_number(generator) < SINC_SHARE else blur, source, generator)
            scale = _draw_scale(limits, shares, generator)
            size = (round(scaled_sides[0] * scale), round(scaled_sides[1] * scale))
            source = _resize(source, size, _draw_filter(generator), SMALLEST_SIDE)
            source = _apply(noise, source, generator)
            scaled_sides = sides  # the second round's scale is of the final size
            if number == 0:
                source = _apply(self.jpeg, source, generator)
        is_compressed_last = _draw_number(generator) < 0.5
        quality = 0 if is_compressed_last else self.jpeg.draw_qualities(1, generator)[0]
        mode = _draw_filter(generator)
        ringing = Sinc().draw_filters(1, generator) if _draw_number(generator) < self.final_sinc else None
        quality = self.jpeg.draw_qualities(1, generator)[0] if is_compressed_last else quality
        return Draft(source, is_compressed_last, quality, mode, ringing)

    def _resize_draft(self, draft: "Draft", size: tuple[int, int]) -> Tensor:
        source = draft.source if draft.is_compressed_last else compress_each(draft.source, [draft.quality]).clamp(-1.0, 1.0)
        return _resize(source, size, draft.mode, smallest_side=1)

    def _finish(self, source: Tensor, drafts: Sequence["Draft"]) -> Tensor:
        """All pictures [N, C, H, W] after their last steps, which go quicker together."""
        ringing = {k: draft.ringing for k, draft in enumerate(drafts) if draft.ringing is not None}
        if ringing:
            cutoffs, radii = (torch.cat(values) for values in zip(*ringing.values(), strict=True))
            rows = list(ringing)
            source[rows] = Sinc().filter_pictures(source[rows], cutoffs, radii).clamp(-1.0, 1.0)
        rows = [k for k, draft in enumerate(drafts) if draft.is_compressed_last]
        if rows:
            source[rows] = compress_each(source[rows], [drafts[k].quality for k in rows]).clamp(-1.0, 1.0)
        return source


class Draft(NamedTuple):
    """A picture before its last steps: resizing, ringing, and JPEG before or after them."""

    source: Tensor  # [1, C, H, W]
    is_compressed_last: bool
    quality: int
    mode: str
    ringing: tuple[Tensor, Tensor] | None  # cutoff and radius of the last filter


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


def _draw_filter(generator: torch.Generator) -> str:
    return FILTERS[int(torch.randint(len(FILTERS), (), generator=generator))]


def _resize(x: Tensor, size: tuple[int, int], mode: str, smallest_side: int) -> Tensor:
    """x brought to (height, width)."""
    size = (max(smallest_side, size[0]), max(smallest_side, size[1]))
    return interpolate(x, size, mode=mode).clamp(-1.0, 1.0)
