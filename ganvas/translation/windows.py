"""Windows of a picture as a network sees them. Only the window is converted, so large pictures need little memory."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..errors import GanvasError
from ..media.image.bands import LUMA_WEIGHTS, resize_bands
from .mirroring import list_mirrored_indices
from .tiles import Span

ALPHA_CHANNELS = 4  # RGBA


class SourcePicture(NamedTuple):
    """A picture to translate: uint8 or uint16 [H, W, C], and the hole to fill, bool [H, W].

    Of a map of labels, pixels are numbers of so many classes: uint8 [H, W, 1]. Otherwise `classes` is 0.
    """

    pixels: np.ndarray
    hole: np.ndarray | None = None
    classes: int = 0

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def max_level(self) -> int:
        return int(np.iinfo(self.pixels.dtype).max)

    def resize(self, width: int, height: int) -> "SourcePicture":
        """By Lanczos; the hole and classes by their nearest pixels."""
        rows, columns = (np.arange(new) * old // new for new, old in ((height, self.height), (width, self.width)))
        nearest = np.ix_(rows, columns)
        pixels = self.pixels[nearest] if self.classes else resize_bands(self.pixels, (width, height), None)
        return SourcePicture(pixels, None if self.hole is None else self.hole[nearest], self.classes)


class WindowReader:
    """Reads windows of a picture that is padded by its mirror image.

    Args:
        channels: those of the network's source: gray, RGB, RGBA, or as many as the picture has.
        background: the gray, 0 to 255, that transparent places show to networks without alpha.

    Raises:
        GanvasError: channels that cannot be converted.
    """

    def __init__(self, picture: SourcePicture, channels: int, background: int, device: torch.device) -> None:
        self.picture, self.channels, self.background, self.device = picture, channels, background / 255, device
        own = picture.classes or picture.pixels.shape[2]
        if own != channels and (own not in (1, 3, ALPHA_CHANNELS) or channels not in (1, 3, ALPHA_CHANNELS)):
            raise GanvasError(f"has {own} channels, but the run translates pictures of {channels}: give pictures like its own")

    def read_source(self, rows: Span, columns: Span) -> Tensor:
        """float [1, C, h, w] in [-1, 1]; of a map of labels one-hot, in [0, 1]."""
        window = take_window(self.picture.pixels, rows, columns)
        if self.picture.classes:
            numbers = torch.from_numpy(window[..., 0].astype(np.int64)).to(self.device)
            return one_hot(numbers, self.picture.classes).permute(2, 0, 1)[None].float()
        values = torch.from_numpy(window.astype(np.float32)).to(self.device).permute(2, 0, 1)[None]
        half = self.picture.max_level / 2
        if window.shape[2] == self.channels:
            return values.div_(half).sub_(1)
        return convert_colours(values / self.picture.max_level, self.channels, self.background).mul_(2).sub_(1)

    def read_hole(self, rows: Span, columns: Span) -> Tensor:
        """float [1, 1, h, w]: 1 in the hole."""
        assert self.picture.hole is not None
        window = take_window(self.picture.hole, rows, columns)
        return torch.from_numpy(window.astype(np.float32)).to(self.device)[None, None]


def take_window(values: np.ndarray, rows: Span, columns: Span) -> np.ndarray:
    """[h, w, …] of [H, W, …]; beyond its last row or column it goes on as its mirror image."""
    height, width = values.shape[:2]
    if rows.stop <= height and columns.stop <= width:
        return values[rows.start : rows.stop, columns.start : columns.stop]
    row_indices, column_indices = list_mirrored_indices(*rows, height), list_mirrored_indices(*columns, width)
    return values[np.ix_(row_indices, column_indices)]


def convert_colours(values: Tensor, channels: int, background: float) -> Tensor:
    """[N, C, h, w] in [0, 1] between gray, RGB and RGBA; without alpha, transparency shows the background."""
    if values.shape[1] == ALPHA_CHANNELS:
        alpha = values[:, 3:]
        values = values[:, :3] * alpha + background * (1 - alpha)
    if channels == 1 and values.shape[1] == 3:
        weights = values.new_tensor(LUMA_WEIGHTS)[:, None, None]
        return (values * weights).sum(1, keepdim=True)
    if channels > 1 and values.shape[1] == 1:
        values = values.repeat(1, 3, 1, 1)
    return torch.cat([values, torch.ones_like(values[:, :1])], 1) if channels == ALPHA_CHANNELS else values
