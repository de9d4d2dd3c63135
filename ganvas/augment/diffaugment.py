"""Differentiable augmentation of images for D, real and generated alike. Zhao et al. 2020, section 3."""

import torch
from torch import Tensor

from ..configuration import config
from ..core import Clock, Nets
from ..errors import refuse


@config
class DiffAugment:
    """Brightness, saturation and contrast, a shift, and a square cut out: x [N, C, H, W] in [-1, 1] -> the same shape.

    Each sample has draws of its own from the global generator. Shifts fill with 0, mid-gray, as cuts do.
    """

    colour: bool = True  # brightness by up to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5
    shift: float = 0.125  # of the side, at most, in both directions
    cut: float = 0.5  # the square's side, of the image's

    def __post_init__(self) -> None:
        refuse(not 0 <= self.shift < 1, "method.augment.shift", self.shift, "in [0, 1)", "--method.augment.shift 0.125")
        refuse(not 0 <= self.cut < 1, "method.augment.cut", self.cut, "in [0, 1)", "--method.augment.cut 0.5")

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        if self.colour:
            x = recolour_samples(x)
        if self.shift:
            x = shift_samples(x, self.shift)
        return erase_squares(x, self.cut) if self.cut else x


def recolour_samples(x: Tensor) -> Tensor:
    brightness, saturation, contrast = torch.rand([3, len(x), 1, 1, 1], device=x.device).unbind()
    x = x + (brightness - 0.5)
    gray = x.mean(1, keepdim=True)
    x = torch.lerp(gray, x, 2 * saturation)
    mean = x.mean((1, 2, 3), keepdim=True)
    return torch.lerp(mean, x, 0.5 + contrast)


def shift_samples(x: Tensor, share: float) -> Tensor:
    """Each sample moved by whole pixels, up to `share` of its side each way."""
    n, _, height, width = x.shape
    rows = _draw_source_pixels(n, height, share, x.device)[:, :, None]
    columns = _draw_source_pixels(n, width, share, x.device)[:, None, :]
    # one pixel of border all around, to which whatever comes from outside is clipped
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    return padded[torch.arange(n, device=x.device)[:, None, None], rows, columns].permute(0, 3, 1, 2)


def erase_squares(x: Tensor, share: float) -> Tensor:
    """A square of `share` of the side set to 0 in each sample, its middle anywhere in the image."""
    n, _, height, width = x.shape
    rows, columns = (
        _draw_erased_span(n, height, share, x.device)[:, :, None],
        _draw_erased_span(n, width, share, x.device)[:, None, :],
    )
    return x * ~(rows & columns)[:, None]


def _draw_source_pixels(n: int, size: int, share: float, device: torch.device) -> Tensor:
    """Where each of `size` pixels comes from, in an image with a border of one pixel, [N, size]."""
    max_offset = round(size * share)
    offset = torch.randint(-max_offset, max_offset + 1, (n, 1), device=device)
    return (torch.arange(1, size + 1, device=device) + offset).clamp(0, size + 1)


def _draw_erased_span(n: int, size: int, share: float, device: torch.device) -> Tensor:
    """Which of `size` pixels lie in a stretch of `share` of them around a random middle, bool [N, size]."""
    length = round(size * share)
    start = torch.randint(0, size + (1 - length % 2), (n, 1), device=device) - length // 2
    place = torch.arange(size, device=device) - start
    return (place >= 0) & (place < length)
