"""From a file's bytes or an array to pixels. Broken, hostile and tiny pictures are refused.

Pixels are a Pillow picture in mode L, RGB or RGBA. With 16 bits or another number of channels they are a uint8 or uint16 array
[H, W, C].
"""

import io
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Image as Picture
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ...errors import GanvasError
from ...system.signatures import SIGNATURE_BYTES, guess_suffix
from . import png, tiff
from .bands import MAX_CHANNELS, apply_orientation

PICTURE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp"),
    *(".bmp", ".dib", ".gif", ".tif", ".tiff"),
)
MAX_PICTURE_PIXELS = 178_956_970  # where Pillow sees a decompression bomb: 512 MiB as RGB
MIN_SIDE_PIXELS = 4  # pixels
PICTURE_CHANNELS = (1, 3, 4)  # channels: gray, RGB, RGBA

TURNS = {  # by EXIF's orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

DecodedPixels = Picture | np.ndarray


class LazyPicture(NamedTuple):
    """What is known before decoding, and the function that decodes."""

    size: tuple[int, int]  # width, height
    channels: int  # of the decoded array; 0: a Pillow picture, which may be gray or coloured
    depth: int  # bits per channel: 8 or 16
    decode: Callable[[], DecodedPixels]


def open_picture(item: bytes | np.ndarray) -> LazyPicture:
    """The picture with its size checked; a file's pixels are not decoded yet. Raises GanvasError."""
    picture = _open_array(item) if isinstance(item, np.ndarray) else _open_bytes(item)
    width, height = picture.size
    max_pixels = MAX_PICTURE_PIXELS // max(1, picture.channels * picture.depth // 32)
    if width * height > max_pixels:
        raise GanvasError(f"has {width} x {height} = {width * height:,} pixels, more than {max_pixels:,}: refused")
    if min(width, height) < MIN_SIDE_PIXELS:
        raise GanvasError(f"{width} x {height} px is too small: at least {MIN_SIDE_PIXELS} x {MIN_SIDE_PIXELS} are needed")
    return picture


def decode_picture(item: bytes | np.ndarray) -> DecodedPixels:
    """The picture's pixels, the right way up; the first frame of an animation or a stack.

    Takes the bytes of a PNG, JPEG, WebP, BMP, GIF or TIFF file, or an array [H, W], [H, W, C] or [C, H, W] of uint8 or uint16.

    Raises:
        GanvasError: no picture, a truncated or broken one, more than MAX_PICTURE_PIXELS, a side below MIN_SIDE_PIXELS.
    """
    picture = open_picture(item)
    try:
        return picture.decode()
    except GanvasError:
        raise
    except Exception as error:  # on broken bytes decoders raise nearly anything
        raise _build_broken_error(error) from error


def convert_to_pixels(values: np.ndarray, picture_channels: tuple[int, ...]) -> DecodedPixels:
    """An array [H, W, C]; as a Pillow picture if it is uint8 and `picture_channels` holds its number of channels."""
    if values.dtype == np.uint8 and values.shape[2] in picture_channels:
        return Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values))
    return values


def flatten_transparency(picture: Picture, background: int) -> Picture:
    """The picture without its transparency, over a gray of 0 to 255."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, (background, background, background, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def convert_to_mode(picture: Picture, mode: str) -> Picture:
    """The picture in a Pillow mode; itself if it has that mode."""
    return picture if picture.mode == mode else picture.convert(mode)


def is_gray(pixels: DecodedPixels) -> bool:
    """Whether pixels of mode L or RGB, or an array of 1 or 3 channels, have no colour."""
    values = np.asarray(pixels)
    return values.ndim == 2 or bool((values == values[..., :1]).all())


def _open_bytes(data: bytes) -> LazyPicture:
    """Open with the reader for the file's first bytes.

    `PIL.Image.open` would also try formats that start other programs (EPS). Its warnings about sizes are global
    settings of the process.
    """
    reader = READERS.get(guess_suffix(data[:SIGNATURE_BYTES]))
    if reader is None:
        raise GanvasError("is empty" if not data else "is not an image that can be read (PNG, JPEG, WebP, BMP, GIF or TIFF)")
    try:
        return reader(data)
    except GanvasError:
        raise
    except Exception as error:  # as above
        raise _build_broken_error(error) from error


def _wrap_picture(picture: ImageFile) -> LazyPicture:
    is_deep, has_colour_left_out = picture.mode.startswith("I"), png.TRANSPARENT_COLOUR in picture.info
    channels = (4 if has_colour_left_out else 1) if is_deep else 0
    return LazyPicture(picture.size, channels, 16 if is_deep else 8, lambda: decode_plain_picture(picture))


def _open_png(data: bytes) -> LazyPicture:
    picture = PngImageFile(io.BytesIO(data))
    if png.is_deep(picture):
        return LazyPicture(picture.size, png.count_deep_channels(picture), 16, lambda: _decode_deep_png(data))
    return _wrap_picture(picture)


def _decode_deep_png(data: bytes) -> np.ndarray:
    values = png.decode_deep_png(data)
    if not any(mark in data for mark in png.ORIENTATION_MARKS):  # to look for it, Pillow decodes all of the file once more
        return values
    return apply_orientation(values, _read_orientation(PngImageFile(io.BytesIO(data))))


def _open_tiff(data: bytes) -> LazyPicture:
    try:
        picture = TiffImageFile(io.BytesIO(data))
        tiff.check_sample_format(picture)
        if tiff.is_plain(picture):
            return _wrap_picture(picture)
    except SyntaxError:  # Pillow raises it for an unknown mode
        pass
    series = tiff.TiffSeries(data)
    if series.dtype.name not in ("uint8", "uint16") or series.channels > MAX_CHANNELS:
        raise tiff.build_format_error(series.channels, str(series.dtype))
    return _wrap_array(series.size, series.channels, series.dtype, series.decode, (1, 3))  # a fourth channel may mean anything


READERS: Mapping[str, Callable[[bytes], LazyPicture]] = {  # by what the first bytes say
    ".png": _open_png,
    ".jpg": lambda data: _wrap_picture(JpegImageFile(io.BytesIO(data))),
    ".webp": lambda data: _wrap_picture(WebPImageFile(io.BytesIO(data))),
    ".bmp": lambda data: _wrap_picture(BmpImageFile(io.BytesIO(data))),
    ".gif": lambda data: _wrap_picture(GifImageFile(io.BytesIO(data))),
    ".tif": _open_tiff,
}


def _build_broken_error(error: Exception) -> GanvasError:
    is_truncated = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return GanvasError(f"truncated file ({error})" if is_truncated else f"broken image ({error})")


def _open_array(values: np.ndarray) -> LazyPicture:
    if values.dtype.kind != "u" or values.dtype.itemsize > 2:
        advice = (
            "if x is in [0, 1], save (x * 255).round().astype('uint8')"
            if values.dtype.kind == "f"
            else "if x is in 0 to 255, save x.astype('uint8')"
        )
        raise GanvasError(f"has {values.dtype} values, not uint8 or uint16: {advice}")
    bands = values[..., None] if values.ndim == 2 else values
    if bands.ndim == 3 and _has_channels_first(*bands.shape):
        bands = np.moveaxis(bands, 0, 2)
    if bands.size == 0 or bands.ndim != 3 or bands.shape[2] > MAX_CHANNELS:
        raise GanvasError(
            f"is an array of shape {values.shape}, not an image: it should be [H, W] or [H, W, up to {MAX_CHANNELS}]"
        )
    height, width, channels = bands.shape
    native = bands.astype(bands.dtype.newbyteorder("="), copy=False)
    return _wrap_array((width, height), channels, bands.dtype, lambda: native, PICTURE_CHANNELS)


def _wrap_array(
    size: tuple[int, int],
    channels: int,
    dtype: np.dtype[Any],
    decode: Callable[[], np.ndarray],
    picture_channels: tuple[int, ...],
) -> LazyPicture:
    is_plain = dtype.itemsize == 1 and channels in picture_channels
    return LazyPicture(
        size, 0 if is_plain else channels, 8 * dtype.itemsize, lambda: convert_to_pixels(decode(), picture_channels)
    )


def _has_channels_first(first: int, second: int, last: int) -> bool:
    """Whether axes are [C, H, W], not [H, W, C]: by the usual numbers of channels, else by the shortest side."""
    if first in PICTURE_CHANNELS or last in PICTURE_CHANNELS:
        return last not in PICTURE_CHANNELS
    return first < min(second, last)


def decode_plain_picture(picture: Picture) -> DecodedPixels:
    """A Pillow picture the right way up, in mode L, RGB or RGBA; with 16 bits uint16 [H, W, 1 or 4]."""
    picture.load()
    turn = TURNS.get(_read_orientation(picture))
    picture = picture if turn is None else picture.transpose(turn)
    if picture.mode == "F":
        raise GanvasError("has floating-point pixels: save it with 8 or 16 bits per channel")
    if picture.mode.startswith("I"):
        values, colour = _narrow_to_uint16(np.asarray(picture))[..., None], picture.info.get(png.TRANSPARENT_COLOUR)
        return values if colour is None else png.make_colour_transparent(values, colour)
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return convert_to_mode(picture, "L" if picture.mode in ("1", "L") else "RGB")


def _narrow_to_uint16(values: np.ndarray) -> np.ndarray:
    """Whole numbers of any width as uint16. Raises GanvasError for values beyond it."""
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise GanvasError(f"has values from {low} to {high}, more than 16 bits without a sign hold: scale them to 0 to 65535")
    return values.astype(np.uint16)


def _read_orientation(picture: Picture) -> int:
    """How the picture is to be turned (EXIF, 1 to 8); 1, which is not at all, where it does not say."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a photograph with broken EXIF data is still a photograph
        return 1
    return orientation if orientation in range(1, 9) else 1
