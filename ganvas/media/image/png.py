"""PNG files of 16 bits a channel, of which Pillow keeps 8 where there is more than gray; and small ones, quickly."""

import io
import struct
import zlib

import numpy as np
from PIL.Image import Image as Picture
from PIL.PngImagePlugin import PngImageFile, PngInfo

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # the header's word for so many channels
TRANSPARENT_COLOUR = "transparency"  # what Pillow calls the chunk tRNS
ORIENTATION_MARKS = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")  # what can say how a file is to be turned
DEEP_MODES = ("RGB;16B", "RGBA;16B", "LA;16B")  # how Pillow calls them in a file


def is_deep(picture: PngImageFile) -> bool:
    """Whether the file, not decoded yet, has 16 bits and more than gray."""
    return bool(picture.tile) and picture.tile[0].args in DEEP_MODES


def count_deep_channels(picture: PngImageFile) -> int:
    """Of what `decode_deep_png` makes of such a file: 4 with transparency, of its own or by one colour that is left out."""
    return 3 if picture.tile[0].args == "RGB;16B" and TRANSPARENT_COLOUR not in picture.info else 4


def decode_deep_png(data: bytes) -> np.ndarray:
    """Such a file as uint16 [H, W, 3 or 4], as it lies."""
    picture = PngImageFile(io.BytesIO(data))
    kind = str(picture.tile[0].args)
    if kind == "LA;16B":  # its pixels are as wide as RGBA's of 8 bits
        gray_alpha = np.ascontiguousarray(_load_in_mode(data, "RGBA", "RGBA")).view(">u2").astype(np.uint16)
        return gray_alpha[..., [0, 0, 0, 1]]
    mode = kind.partition(";")[0]
    high, low = (
        _load_in_mode(data, mode, f"{mode};16B"),
        _load_in_mode(data, mode, f"{mode};16L"),
    )  # each reading keeps one byte of two
    values = high.astype(np.uint16) << 8 | low
    colour = picture.info.get(TRANSPARENT_COLOUR)
    return values if colour is None else make_colour_transparent(values, colour)


def make_colour_transparent(values: np.ndarray, colour: int | tuple[int, ...]) -> np.ndarray:
    """uint16 [H, W, 1 or 3] as RGBA, in which pixels of the colour are transparent and all others are not."""
    is_opaque = (values != np.array(colour, np.uint16)).any(2, keepdims=True)
    return np.concatenate([values.repeat(4 - values.shape[2], 2)[..., :3], is_opaque * np.uint16(65535)], 2)


def _load_in_mode(data: bytes, mode: str, kind: str) -> np.ndarray:
    picture = PngImageFile(io.BytesIO(data))
    picture._mode = mode
    picture.tile = [tile._replace(args=kind) for tile in picture.tile]
    picture.load()
    return np.asarray(picture)


def encode_png(pixels: Picture | np.ndarray, png_info: PngInfo) -> bytes:
    """A file of a picture of Pillow's, or of uint8 or uint16 [H, W, 1, 3 or 4], with marks in it.

    Arrays are not filtered: for pictures of some dozen pixels that is as small, and 2.5 times as quick as Pillow (docs/log.md).
    """
    file = io.BytesIO()
    if isinstance(pixels, Picture):
        pixels.save(file, format="PNG", pnginfo=png_info)
        return file.getvalue()
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").view(np.uint8) if pixels.dtype == np.uint16 else pixels
    unfiltered = np.zeros((height, 1 + rows[0].size), np.uint8)
    unfiltered[:, 1:] = rows.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, COLOUR_TYPES[channels], 0, 0, 0)
    text_chunks = [(chunk[0], chunk[1]) for chunk in png_info.chunks]
    chunks = [(b"IHDR", header), *text_chunks, (b"IDAT", zlib.compress(unfiltered.tobytes(), 6)), (b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(_build_chunk(kind, content) for kind, content in chunks)


def _build_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
