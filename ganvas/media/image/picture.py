"""From a file's bytes, or an array, to pixels; broken, hostile and tiny ones are refused.

Pixels are a picture of Pillow's in mode L, RGB or RGBA; or, with 16 bits or another number of channels, an array
[H, W, C] of uint8 or uint16.
"""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Image as Picture
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ...errors import GanvasError
from . import png, tiff
from .bands import MOST

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MOST_PIXELS = 178_956_970  # the bound at which Pillow speaks of a decompression bomb: 512 MiB as RGB
LEAST_SIDE = 4  # pixels
PICTURES = (1, 3, 4)  # channels: gray, RGB, RGBA

Pixels = Picture | np.ndarray


class Opened(NamedTuple):
    """What can be known before decoding, and the decoding."""

    size: tuple[int, int]  # width, height
    channels: int  # of the array that decoding gives; 0: a picture of Pillow's, whose colours have to be looked at
    depth: int  # bits a channel: 8 or 16
    decode: Callable[[], Pixels]


def opened(item: bytes | np.ndarray) -> Opened:
    """The picture with its size checked; a file's pixels are not decoded yet. Raises GanvasError."""
    found = _from_array(item) if isinstance(item, np.ndarray) else _from_bytes(item)
    width, height = found.size
    most = MOST_PIXELS // max(1, found.channels * found.depth // 32)
    if width * height > most:
        raise GanvasError(f"has {width} x {height} = {width * height:,} pixels, more than {most:,}: refused")
    if min(width, height) < LEAST_SIDE:
        raise GanvasError(f"{width} x {height} px is too small to learn from: at least {LEAST_SIDE} x {LEAST_SIDE} are needed")
    return found


def decoded(item: bytes | np.ndarray) -> Pixels:
    """The picture's pixels, the right way up; of an animation or a stack the first frame.

    Takes the bytes of a PNG, JPEG, WebP, BMP, GIF or TIFF file, or an array [H, W], [H, W, C] or [C, H, W] of uint8 or uint16.

    Raises:
        GanvasError: no picture, a truncated or broken one, more than MOST_PIXELS, a side below LEAST_SIDE.
    """
    found = opened(item)
    try:
        return found.decode()
    except GanvasError:
        raise
    except Exception as error:  # on broken bytes decoders raise nearly anything
        raise _broken(error) from error


def as_pixels(values: np.ndarray, pictures: tuple[int, ...]) -> Pixels:
    """An array [H, W, C] as a picture of Pillow's, if it is uint8 and its channels are among those."""
    if values.dtype == np.uint8 and values.shape[2] in pictures:
        return Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values))
    return values


def over(picture: Picture, background: int) -> Picture:
    """The picture without its transparency, over a gray of 0 to 255."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, (background, background, background, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def as_mode(picture: Picture, mode: str) -> Picture:
    """The picture in a mode of Pillow's, itself if it is so already."""
    return picture if picture.mode == mode else picture.convert(mode)


def is_gray(pixels: Pixels) -> bool:
    """Whether pixels of mode L or RGB, or an array of 1 or 3 channels, have no colour in them."""
    values = np.asarray(pixels)
    return values.ndim == 2 or bool((values == values[..., :1]).all())


def _from_bytes(data: bytes) -> Opened:
    """Open with the reader that the first bytes ask for.

    `PIL.Image.open` would also try formats that start other programs (EPS), and warns about sizes through settings
    that are global to the process.
    """
    readers: tuple[tuple[bool, Callable[[bytes], Opened]], ...] = (
        (data.startswith(png.SIGNATURE), _from_png),
        (data.startswith(b"\xff\xd8\xff"), lambda data: _of(JpegImageFile(io.BytesIO(data)))),
        (data.startswith(b"RIFF") and data[8:12] == b"WEBP", lambda data: _of(WebPImageFile(io.BytesIO(data)))),
        (data.startswith(b"BM"), lambda data: _of(BmpImageFile(io.BytesIO(data)))),
        (data.startswith((b"GIF87a", b"GIF89a")), lambda data: _of(GifImageFile(io.BytesIO(data)))),
        (data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")), _from_tiff),
    )
    reader = next((reader for fits, reader in readers if fits), None)
    if reader is None:
        raise GanvasError("is empty" if not data else "is no image that can be read (PNG, JPEG, WebP, BMP, GIF or TIFF)")
    try:
        return reader(data)
    except GanvasError:
        raise
    except Exception as error:  # as above
        raise _broken(error) from error


def _of(picture: ImageFile) -> Opened:
    deep = picture.mode.startswith("I")
    return Opened(picture.size, 1 if deep else 0, 16 if deep else 8, lambda: _plain(picture))


def _from_png(data: bytes) -> Opened:
    picture = PngImageFile(io.BytesIO(data))
    if png.is_deep(picture):
        return Opened(picture.size, 3 if picture.mode == "RGB" else 4, 16, lambda: png.decode(data))
    return _of(picture)


def _from_tiff(data: bytes) -> Opened:
    try:
        picture = TiffImageFile(io.BytesIO(data))
        if tiff.is_plain(picture):
            return _of(picture)
    except SyntaxError:  # Pillow's word for a mode it does not know
        pass
    series = tiff.Series(data)
    if series.dtype.name not in ("uint8", "uint16") or series.channels > MOST:
        raise GanvasError(f"has {series.channels} channels of {series.dtype}: save it with 8 or 16 bits, of at most {MOST}")
    return _of_array(series.size, series.channels, series.dtype, series.decode, (1, 3))  # of a fourth nobody says what it is


def _broken(error: Exception) -> GanvasError:
    cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return GanvasError(f"truncated file ({error})" if cut else f"broken image ({error})")


def _from_array(values: np.ndarray) -> Opened:
    if values.dtype.kind != "u" or values.dtype.itemsize > 2:
        raise GanvasError(
            f"has {values.dtype} values, not uint8 or uint16: if x is in [0, 1], save (x * 255).round().astype('uint8')"
        )
    bands = values[..., None] if values.ndim == 2 else values
    if bands.ndim == 3 and _are_channels_first(*bands.shape):
        bands = np.moveaxis(bands, 0, 2)
    if bands.size == 0 or bands.ndim != 3 or bands.shape[2] > MOST:
        raise GanvasError(f"is an array of shape {values.shape}, not an image: it should be [H, W] or [H, W, up to {MOST}]")
    height, width, channels = bands.shape
    native = bands.astype(bands.dtype.newbyteorder("="), copy=False)
    return _of_array((width, height), channels, bands.dtype, lambda: native, PICTURES)


def _of_array(
    size: tuple[int, int], channels: int, dtype: np.dtype[Any], decode: Callable[[], np.ndarray], pictures: tuple[int, ...]
) -> Opened:
    plain = dtype.itemsize == 1 and channels in pictures
    return Opened(size, 0 if plain else channels, 8 * dtype.itemsize, lambda: as_pixels(decode(), pictures))


def _are_channels_first(first: int, second: int, last: int) -> bool:
    """[C, H, W] rather than [H, W, C]: by the numbers of channels that are usual, else by the shortest side."""
    if first in PICTURES or last in PICTURES:
        return last not in PICTURES
    return first < min(second, last)


def _plain(picture: Picture) -> Pixels:
    picture.load()
    _turn(picture)
    if picture.mode == "F":
        raise GanvasError("has floating-point pixels: save it with 8 or 16 bits a channel")
    if picture.mode.startswith("I"):
        return np.asarray(picture).clip(0, 65535).astype(np.uint16)[..., None]
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return as_mode(picture, "L" if picture.mode in ("1", "L") else "RGB")


def _turn(picture: Picture) -> None:
    try:
        if picture.getexif():
            ImageOps.exif_transpose(picture, in_place=True)
    except Exception:  # a photograph with broken EXIF data is still a photograph
        return
