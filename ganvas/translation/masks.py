"""Masks: which part of a picture is to be filled, from a file in any of the usual forms, or from a picture's transparency."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import GanvasError
from ..media.image.bands import convert_channels
from .companions import find_companion
from .picture_files import read_picture_file


class Mask(NamedTuple):
    """The hole, bool [H, W], and how the file was understood."""

    hole: np.ndarray
    description: str


def read_mask(path: Path) -> Mask:
    """White, or 1, is the hole; in a file with transparency, what is transparent. Raises GanvasError."""
    return interpret_mask(read_picture_file(path).pixels)


def interpret_mask(pixels: np.ndarray) -> Mask:
    """A mask uint8 or uint16 [H, W, 1, 3 or 4]."""
    if pixels.shape[2] == 4 and (hole := find_transparent_places(pixels)) is not None:
        return Mask(hole, "the mask's transparent part is filled")
    if pixels.shape[2] not in (1, 3, 4):
        raise GanvasError(f"the mask has {pixels.shape[2]} channels: save it as a gray picture, white where to fill")
    gray = convert_channels(pixels[..., :3], 1, 0)[..., 0]
    top = int(np.iinfo(pixels.dtype).max)
    high, form = int(gray.max()), "RGB" if pixels.shape[2] > 1 else "gray"
    if high < top and not ((gray > 0) & (gray < high)).any():  # two levels
        return Mask(gray > 0, f"the mask is {form} with the levels 0 and {high}: {high} is filled")
    return Mask(gray > top // 2, f"the mask is {form} from 0 to {high}: what is above {top // 2} is filled")


def find_transparent_places(pixels: np.ndarray) -> np.ndarray | None:
    """Where RGBA [H, W, 4] is more transparent than not; None if nothing is transparent."""
    alpha, top = pixels[..., 3], int(np.iinfo(pixels.dtype).max)
    return alpha <= top // 2 if (alpha < top).any() else None


def choose_hole(pixels: np.ndarray, masks: Path | None, name: Path, takes_hole: bool) -> Mask | None:
    """The hole of a picture: from a mask, or its transparency. None for translators that fill none."""
    if masks is not None:
        return read_mask(find_companion(masks, name, "mask"))
    if takes_hole and pixels.shape[2] == 4 and (hole := find_transparent_places(pixels)) is not None:
        return Mask(hole, "the picture's transparent part is filled")
    return None
