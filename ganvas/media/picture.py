"""From a file's bytes, or an array, to a picture in mode L, RGB or RGBA; broken, hostile and tiny ones are refused."""

import io

import numpy as np
from PIL import Image, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Image as Picture
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import GanvasError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MOST_PIXELS = 178_956_970  # the bound at which Pillow speaks of a decompression bomb: 512 MiB as RGB
LEAST_SIDE = 4  # pixels


def opened(item: bytes | np.ndarray) -> Picture:
    """The picture with its size checked; a file's pixels are not decoded yet. Raises GanvasError."""
    picture = _from_array(item) if isinstance(item, np.ndarray) else _from_bytes(item)
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise GanvasError(f"has {width} x {height} = {width * height:,} pixels, more than {MOST_PIXELS:,}: refused")
    if min(width, height) < LEAST_SIDE:
        raise GanvasError(f"{width} x {height} px is too small to learn from: at least {LEAST_SIDE} x {LEAST_SIDE} are needed")
    return picture


def decoded(item: bytes | np.ndarray) -> Picture:
    """The picture, the right way up, in mode L, RGB or RGBA; of an animation the first frame.

    Takes the bytes of a PNG, JPEG, WebP, BMP or GIF file, or a uint8 array [H, W], [H, W, 1|3|4] or [1|3|4, H, W].

    Raises:
        GanvasError: no picture, a truncated or broken one, more than MOST_PIXELS, a side below LEAST_SIDE.
    """
    picture = opened(item)
    if isinstance(item, np.ndarray):
        return picture
    try:
        picture.load()
        _turn(picture)
        return _plain(picture)
    except GanvasError:
        raise
    except Exception as error:  # on broken bytes Pillow's decoders raise nearly anything
        raise _broken(error) from error


def over(picture: Picture, background: int) -> Picture:
    """The picture without its transparency, over a gray of 0 to 255."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, (background, background, background, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def as_mode(picture: Picture, mode: str) -> Picture:
    """The picture in a mode of Pillow's, itself if it is so already."""
    return picture if picture.mode == mode else picture.convert(mode)


def is_gray(picture: Picture) -> bool:
    """Whether a picture in mode L or RGB has no colour in it."""
    if picture.mode == "L":
        return True
    pixels = np.asarray(picture)
    return bool((pixels == pixels[..., :1]).all())


def _from_bytes(data: bytes) -> ImageFile:
    """Open with the reader that the first bytes ask for.

    `PIL.Image.open` would also try formats that start other programs (EPS), and warns about sizes through settings
    that are global to the process.
    """
    readers: tuple[tuple[bool, type[ImageFile]], ...] = (
        (data.startswith(b"\x89PNG\r\n\x1a\n"), PngImageFile),
        (data.startswith(b"\xff\xd8\xff"), JpegImageFile),
        (data.startswith(b"RIFF") and data[8:12] == b"WEBP", WebPImageFile),
        (data.startswith(b"BM"), BmpImageFile),
        (data.startswith((b"GIF87a", b"GIF89a")), GifImageFile),
    )
    reader = next((reader for fits, reader in readers if fits), None)
    if reader is None:
        raise GanvasError("is empty" if not data else "is no image that can be read (PNG, JPEG, WebP, BMP or GIF)")
    try:
        return reader(io.BytesIO(data))
    except Exception as error:  # as above
        raise _broken(error) from error


def _broken(error: Exception) -> GanvasError:
    cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return GanvasError(f"truncated file ({error})" if cut else f"broken image ({error})")


def _from_array(values: np.ndarray) -> Picture:
    if values.dtype != np.uint8:
        raise GanvasError(
            f"has {values.dtype} values, not uint8 from 0 to 255: if x is in [0, 1], save (x * 255).round().astype('uint8')"
        )
    shape, kinds = values.shape, (1, 3, 4)
    if len(shape) == 3 and shape[0] in kinds and shape[2] not in kinds:
        values = np.moveaxis(values, 0, 2)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.size == 0 or values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in kinds):
        raise GanvasError(f"is an array of shape {shape}, not an image: it should be [H, W] or [H, W, 1, 3 or 4]")
    return Image.fromarray(np.ascontiguousarray(values))


def _turn(picture: Picture) -> None:
    try:
        if picture.getexif():
            ImageOps.exif_transpose(picture, in_place=True)
    except Exception:  # a photograph with broken EXIF data is still a photograph
        return


def _plain(picture: Picture) -> Picture:
    if picture.mode == "F":
        raise GanvasError("has floating-point pixels: save it with 8 or 16 bits a channel")
    if picture.mode.startswith("I"):  # 16 bits: 65,535 = 257 x 255
        return Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return as_mode(picture, "L" if picture.mode in ("1", "L") else "RGB")
