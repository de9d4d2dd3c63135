"""Pairs in one picture: the source on the left, and what it becomes on the right, as in pix2pix's data sets."""

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL.Image import Image as Picture
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, ImageFileDirectory_v2

from ..errors import GanvasError

MAX_PICTURE_PIXELS = 200_000_000
MODES = ("L", "RGB", "RGBA")
TIFF_SIGNATURES, BIG_TIFF = (b"II*\0", b"MM\0*", b"II+\0"), 43
CHANNEL_WORDS = {1: "gray", 3: "RGB", 4: "RGB with alpha"}
MODE_WORDS = {
    "1": "black and white",
    "L": "gray",
    "LA": "gray with alpha",
    "P": "palette",
    "RGBA": "RGB with alpha",
    "I;16": "gray",
}
DEEP_FORMAT = ";16"  # in Pillow's names of what files hold: it reads colours of 16 bits as 8
TURNED = (5, 6, 7, 8)  # orientations whose width is shown as the height


def read_picture_size(data: bytes) -> tuple[int, int]:
    """Width and height as shown, from a file's head. Raises GanvasError if it is no picture."""
    try:
        picture = _open_picture(data)
    except GanvasError:
        size = _read_tiff_size(data)
        if size is None:
            raise
        return size
    is_turned = picture.getexif().get(ExifTags.Base.Orientation) in TURNED
    return (picture.height, picture.width) if is_turned else picture.size


def describe_pixels(picture: bytes | np.ndarray) -> str:
    """ "RGB", "gray", "palette" … of a file or an array [H, W, …]; empty if it cannot be told."""
    if isinstance(picture, np.ndarray):
        return CHANNEL_WORDS.get(1 if picture.ndim == 2 else picture.shape[2], f"{picture.shape[-1]} channels")
    try:
        mode = _open_picture(picture).mode
    except GanvasError:
        return ""
    return MODE_WORDS.get(mode, mode)


def _read_tiff_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a TIFF file of any kind of pixels; None if it is none. Pillow opens some kinds only."""
    if not data.startswith(TIFF_SIGNATURES):
        return None
    try:
        directory = ImageFileDirectory_v2(data[:16] if BIG_TIFF in data[2:4] else data[:8])
        stream = io.BytesIO(data)
        stream.seek(directory.next)
        directory.load(stream)
        return int(directory[IMAGEWIDTH]), int(directory[IMAGELENGTH])
    except Exception:  # on broken bytes Pillow raises nearly anything
        return None


def split_picture(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """(the left half, the right half), each uint8 [H, W] or [H, W, C]. Raises GanvasError for no picture, or of odd width."""
    pixels = decode_pixels(data)
    width = pixels.shape[1]
    if width % 2:
        raise GanvasError(f"is {width} px wide, which gives no two halves of one width")
    return pixels[:, : width // 2], pixels[:, width // 2 :]


def decode_pixels(data: bytes, advice: str = "put its halves into two folders, A and B") -> np.ndarray:
    """uint8 [H, W] or [H, W, C], upright. Raises GanvasError for no picture, or, with `advice`, for more than 8 bits."""
    picture = _open_picture(data)
    if picture.mode.startswith(("I", "F")) or any(DEEP_FORMAT in str(part) for part in getattr(picture, "tile", ())):
        raise GanvasError(f"has more than 8 bits: {advice}")
    try:
        picture = ImageOps.exif_transpose(picture)
        if picture.mode not in MODES:
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise GanvasError(f"is a broken image ({error})") from None
    return np.asarray(picture)


def _open_picture(data: bytes) -> Picture:
    """The picture, before its pixels are decoded. Raises GanvasError for no picture, or too large a one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged tags, and of sizes that are checked below
            picture = Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise GanvasError(f"is no image that can be read ({error})") from None
    if picture.width * picture.height > MAX_PICTURE_PIXELS:
        raise GanvasError(f"has {picture.width} x {picture.height} pixels, more than {MAX_PICTURE_PIXELS:,}: refused")
    return picture
