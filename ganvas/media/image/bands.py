"""Pictures without a Pillow mode, as arrays: any number of channels, 8 or 16 bits each."""

import numpy as np
from PIL import Image
from PIL.Image import Image as Picture

from ...errors import GanvasError

MAX_CHANNELS = 64
LUMA_WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601, as in Pillow


def convert_to_bands(pixels: Picture | np.ndarray) -> np.ndarray:
    """Pixels as uint8 or uint16 [H, W, C]."""
    values = np.asarray(pixels)
    return values[..., None] if values.ndim == 2 else values


def apply_orientation(values: np.ndarray, orientation: int) -> np.ndarray:
    """[H, W, C] turned upright by an EXIF orientation from 1 to 8; 5 to 8 swap rows and columns."""
    turned = values.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else values
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    return turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned


def convert_ink_to_rgb(values: np.ndarray) -> np.ndarray:
    """Cyan, magenta, yellow and black [H, W, 4] as RGB [H, W, 3], by Pillow's formula: (1 - colour) (1 - black)."""
    max_level = np.iinfo(values.dtype).max
    light = max_level - values.astype(np.float64)
    return (light[..., :3] * light[..., 3:] / max_level).round().astype(values.dtype)


def separate_alpha(values: np.ndarray, is_premultiplied: bool) -> np.ndarray:
    """Gray or RGB with alpha, [H, W, 2 or 4], as RGBA. Premultiplied colours are divided by alpha."""
    rgba = values[..., [0, 0, 0, 1]] if values.shape[2] == 2 else values
    if not is_premultiplied:
        return rgba
    max_level, alpha = np.iinfo(values.dtype).max, rgba[..., 3:].astype(np.float64)
    colours = (rgba[..., :3] * (max_level / np.maximum(alpha, 1))).round().clip(0, max_level).astype(values.dtype)
    return np.concatenate([np.where(alpha > 0, colours, 0).astype(values.dtype), rgba[..., 3:]], 2)


def convert_depth(values: np.ndarray, depth: int) -> np.ndarray:
    """Values in 8 or 16 bits: 65,535 = 257 x 255."""
    if values.dtype == np.uint8:
        return values if depth == 8 else values.astype(np.uint16) * 257
    return values if depth == 16 else (values / 257).round().astype(np.uint8)


def convert_channels(values: np.ndarray, channels: int, background: int) -> np.ndarray:
    """[H, W, C] converted between gray, RGB and RGBA; without alpha, transparency shows `background`, a gray of 0 to 255.

    Raises:
        GanvasError: other numbers of channels, whose meaning is unknown.
    """
    channel_count, max_level = values.shape[2], np.iinfo(values.dtype).max
    if channel_count == channels:
        return values
    if channel_count not in (1, 3, 4) or channels not in (1, 3, 4):
        raise GanvasError(f"has {channel_count} channels, not {channels}: all samples need the same")
    if channels == 4:
        opaque = np.full((*values.shape[:2], 1), max_level, values.dtype)
        return np.concatenate([*[values] * (3 // channel_count), opaque], 2)
    if channel_count == 4:
        alpha = values[..., 3:] / max_level
        values = (alpha * values[..., :3] + (1 - alpha) * background * (max_level / 255)).round().astype(values.dtype)
    if channels == 3:
        return values if values.shape[2] == 3 else values.repeat(3, 2)
    return (values @ np.array(LUMA_WEIGHTS))[..., None].round().astype(values.dtype)


def resize_bands(values: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float] | None) -> np.ndarray:
    """[H, W, C] -> [height, width, C], each channel separately, with Pillow's Lanczos filter; clipped and rounded."""
    max_level = np.iinfo(values.dtype).max
    resized_bands: list[np.ndarray] = []
    for k in range(values.shape[2]):
        band = np.ascontiguousarray(values[..., k])
        picture = Image.fromarray(band if max_level == 255 else band.astype(np.float32))
        resized_bands.append(np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box)))
    return (
        np.stack(resized_bands, 2)
        if max_level == 255
        else np.stack(resized_bands, 2).round().clip(0, max_level).astype(values.dtype)
    )
