"""Pictures that Pillow has no mode for, as arrays: any number of channels, 8 or 16 bits each."""

import numpy as np
from PIL import Image
from PIL.Image import Image as Picture

from ...errors import GanvasError

MOST = 64  # channels
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in a gray: ITU-R BT.601, as Pillow has it


def as_bands(pixels: Picture | np.ndarray) -> np.ndarray:
    """uint8 or uint16 [H, W, C]."""
    values = np.asarray(pixels)
    return values[..., None] if values.ndim == 2 else values


def in_depth(values: np.ndarray, depth: int) -> np.ndarray:
    """The same in 8 or 16 bits: 65,535 = 257 x 255."""
    if values.dtype == np.uint8:
        return values if depth == 8 else values.astype(np.uint16) * 257
    return values if depth == 16 else (values / 257).round().astype(np.uint8)


def in_channels(values: np.ndarray, channels: int, background: int) -> np.ndarray:
    """[H, W, C] with another number of channels, if these are gray, RGB or RGBA; transparency over a gray of 0 to 255.

    Raises:
        GanvasError: other numbers of channels, of which nobody knows what they are.
    """
    have, top = values.shape[2], np.iinfo(values.dtype).max
    if have == channels:
        return values
    if have not in (1, 3, 4) or channels not in (1, 3, 4):
        raise GanvasError(f"has {have} channels, not {channels}: all samples need the same")
    if channels == 4:
        opaque = np.full((*values.shape[:2], 1), top, values.dtype)
        return np.concatenate([*[values] * (3 // have), opaque], 2)
    if have == 4:
        alpha = values[..., 3:] / top
        values = (alpha * values[..., :3] + (1 - alpha) * background * (top / 255)).round().astype(values.dtype)
    if channels == 3:
        return values if values.shape[2] == 3 else values.repeat(3, 2)
    return (values @ np.array(LUMA))[..., None].round().astype(values.dtype)


def resized(values: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float] | None) -> np.ndarray:
    """[H, W, C] -> [height, width, C], each channel by itself, with Pillow's Lanczos filter; clipped and rounded."""
    top = np.iinfo(values.dtype).max
    found: list[np.ndarray] = []
    for k in range(values.shape[2]):
        band = np.ascontiguousarray(values[..., k])
        picture = Image.fromarray(band if top == 255 else band.astype(np.float32))
        found.append(np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box)))
    return np.stack(found, 2) if top == 255 else np.stack(found, 2).round().clip(0, top).astype(values.dtype)
