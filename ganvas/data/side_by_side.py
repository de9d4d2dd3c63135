"""Pairs in one picture: the source on the left, and what it becomes on the right, as in pix2pix's data sets."""

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL.Image import Image as Picture

from ..errors import GanvasError

MAX_PICTURE_PIXELS = 200_000_000
MODES = ("L", "RGB", "RGBA")
TURNED = (5, 6, 7, 8)  # orientations whose width is shown as the height


def read_picture_size(data: bytes) -> tuple[int, int]:
    """Width and height as shown, from a file's head. Raises GanvasError if it is no picture."""
    picture = _open_picture(data)
    is_turned = picture.getexif().get(ExifTags.Base.Orientation) in TURNED
    return (picture.height, picture.width) if is_turned else picture.size


def split_picture(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """(the left half, the right half), each uint8 [H, W] or [H, W, C]. Raises GanvasError for no picture, or of odd width."""
    picture = _open_picture(data)
    if picture.mode.startswith(("I", "F")):
        raise GanvasError("has more than 8 bits: put its halves into two folders, A and B")
    try:
        picture = ImageOps.exif_transpose(picture)
        if picture.mode not in MODES:
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise GanvasError(f"is a broken image ({error})") from None
    if picture.width % 2:
        raise GanvasError(f"is {picture.width} px wide, which gives no two halves of one width")
    pixels, middle = np.asarray(picture), picture.width // 2
    return pixels[:, :middle], pixels[:, middle:]


def _open_picture(data: bytes) -> Picture:
    """The picture, before its pixels are decoded. Raises GanvasError for no picture, or too large a one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise GanvasError(f"is no image that can be read ({error})") from None
    if picture.width * picture.height > MAX_PICTURE_PIXELS:
        raise GanvasError(f"has {picture.width} x {picture.height} pixels, more than {MAX_PICTURE_PIXELS:,}: refused")
    return picture
