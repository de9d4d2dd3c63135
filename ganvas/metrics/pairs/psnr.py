"""Peak signal-to-noise ratio: the mean squared error of pixels, in decibels."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...configuration import config
from ...errors import GanvasError, require
from .pixels import check_pair, round_to_pixels

MAX_DECIBELS = 60.0  # of identical images, whose ratio is infinite; a few of them must not decide a mean
STUDIO_LUMA, STUDIO_BLACK = (65.481, 128.553, 24.966), 16.0  # ITU-R BT.601: black is 16 and white 235


@config
class PSNR:
    """10·log10(255² / MSE) of each pair, over all channels, in dB; at most 60, which identical pictures have.

    Pictures are rounded and clipped to `bits` bits per channel first. The mean over pairs is of decibels, as in most papers.

    luma: of the brightness only (Y of YCbCr, BT.601 in studio range), as papers on super-resolution have it; named "psnr_y".
    shave: pixels that are left out at each border, as there: as many as the scale.
    """

    luma: bool = False
    shave: int = 0
    bits: int = 8

    def __post_init__(self) -> None:
        require(self.shave >= 0, "shave", self.shave, "0 px or more")

    @property
    def score_name(self) -> str:
        return "psnr_y" if self.luma else "psnr"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {self.score_name: False}

    def __call__(self, x: Tensor, other: Tensor, where: Tensor | None = None) -> dict[str, Tensor]:
        """Images [N, C, H, W] in [-1, 1] twice -> dB [N].

        Args:
            where: [N, 1, H, W], 1 at the places that count, such as a hole; a picture without such places has 60 dB.
        """
        check_pair(x, other, self.score_name)
        pixels, others = (self._select_pixels(image) for image in (x, other))
        weights = torch.ones_like(pixels) if where is None else self._cut_border(where).to(pixels).expand_as(pixels)
        errors = ((pixels - others).square() * weights).sum((1, 2, 3)) / weights.sum((1, 2, 3)).clamp(min=1)
        return {self.score_name: (10 * torch.log10(255**2 / errors)).clamp(max=MAX_DECIBELS)}

    def _select_pixels(self, x: Tensor) -> Tensor:
        pixels = self._cut_border(round_to_pixels(x, self.bits))
        return compute_studio_luma(pixels) if self.luma else pixels

    def _cut_border(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if min(height, width) <= 2 * self.shave:
            raise GanvasError(f"{self.score_name}: shave={self.shave} leaves nothing of {width} x {height} px: lower it")
        return x[:, :, self.shave : height - self.shave, self.shave : width - self.shave]


def compute_studio_luma(pixels: Tensor) -> Tensor:
    """Y of YCbCr of RGB in [0, 255]: [N, 3, H, W] -> [N, 1, H, W] in [16, 235], not rounded. ITU-R BT.601."""
    if pixels.shape[1] != 3:
        raise GanvasError(f"psnr_y: needs red, green and blue, got {pixels.shape[1]} channels: set luma to False")
    weights = pixels.new_tensor(STUDIO_LUMA).view(1, 3, 1, 1) / 255
    return STUDIO_BLACK + (pixels * weights).sum(1, keepdim=True)
