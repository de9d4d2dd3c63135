"""Put a translated picture together from tiles, in the source's depth, with its transparency."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..media.image.bands import LUMA_WEIGHTS, resize_bands
from .tiles import Span, Tile

ROWS_AT_ONCE = 256  # when a whole picture is looked through
COLOUR_TOLERANCE = 0.06  # of the range: up to this difference of red, green and blue a pixel counts as gray
COLOURED_SHARE = 0.001  # a gray picture may have this share of coloured pixels


class ResultWriter:
    """An array [scale·H, scale·W, C] for a picture of (height, width), to be filled tile by tile.

    Args:
        alpha: [H, W, 1] of the source, which the result keeps; None without.
        background: the gray, 0 to 255, that the network saw in transparent places; None if it saw alpha itself.
    """

    def __init__(
        self,
        size: tuple[int, int],
        channels: int,
        dtype: np.dtype[Any],
        scale: int,
        alpha: np.ndarray | None = None,
        background: int | None = None,
    ) -> None:
        self.scale, self.background = scale, None if background is None else background / 255
        height, width = (scale * side for side in size)
        self.channels, self.max_level = channels, int(np.iinfo(dtype).max)
        self.array = np.empty((height, width, channels + (alpha is not None)), dtype)
        self.has_alpha = alpha is not None
        if alpha is not None:
            self.array[..., channels:] = alpha if scale == 1 else resize_bands(alpha, (width, height), None)

    def write(self, tile: Tile, x: Tensor) -> None:
        """Take the tile's part of its window's result x [1, C, scale·h, scale·w] in [-1, 1]."""
        height, width = self.array.shape[:2]
        (top, bottom), (left, right) = (
            self._scale_part(tile.rows, tile.window_rows, height),
            self._scale_part(tile.columns, tile.window_columns, width),
        )
        y, z = self.scale * tile.rows.start, self.scale * tile.columns.start
        place = self.array[y : y + bottom - top, z : z + right - left]
        values = x[0, :, top:bottom, left:right].float().clamp(-1, 1).permute(1, 2, 0)
        if self.has_alpha and self.background is not None:
            values = remove_background(values, place[..., self.channels :] / np.float32(self.max_level), self.background)
        levels = values.add(1).mul(self.max_level / 2).round().cpu().numpy()
        place[..., : self.channels] = levels.astype(self.array.dtype)

    def _scale_part(self, part: Span, window: Span, limit: int) -> tuple[int, int]:
        """Where the part begins and ends in its window's result, without the padding."""
        start, stop = self.scale * part.start, min(limit, self.scale * part.stop)
        return start - self.scale * window.start, max(start, stop) - self.scale * window.start


def remove_background(values: Tensor, alpha: np.ndarray, background: float) -> Tensor:
    """Colours [h, w, C] in [-1, 1] that give `values` when they are shown, as transparent as alpha [h, w, 1], over a gray.

    Otherwise half transparent edges would hold the background twice. Invisible places stay as they are.
    """
    opacity = torch.from_numpy(alpha).to(values.device)
    ground = 2 * background - 1
    colours = (values - ground * (1 - opacity)) / opacity.clamp(min=1e-6)
    return torch.where((opacity > 0) & (opacity < 1), colours.clamp(-1, 1), values)


def is_nearly_gray(pixels: np.ndarray) -> bool:
    """Whether hardly any pixel of [H, W, 3] has a colour: networks leave traces of it in gray pictures."""
    coloured, limit = 0, COLOUR_TOLERANCE * float(np.iinfo(pixels.dtype).max)
    for start in range(0, len(pixels), ROWS_AT_ONCE):
        rows = pixels[start : start + ROWS_AT_ONCE]
        coloured += int(((rows.max(2) - rows.min(2)) > limit).sum())
    return coloured <= COLOURED_SHARE * pixels.shape[0] * pixels.shape[1]


def convert_to_gray(pixels: np.ndarray) -> np.ndarray:
    """The luma [H, W, 1] of [H, W, 3]."""
    gray = np.empty((*pixels.shape[:2], 1), pixels.dtype)
    for start in range(0, len(pixels), ROWS_AT_ONCE):
        gray[start : start + ROWS_AT_ONCE, :, 0] = (pixels[start : start + ROWS_AT_ONCE] @ np.array(LUMA_WEIGHTS)).round()
    return gray
