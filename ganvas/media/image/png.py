"""PNG files with 16 bits per channel (Pillow keeps only 8 unless they are gray), and a fast writer for small files."""

import io
import struct
import zlib

import numpy as np
from PIL.Image import Image as Picture
from PIL.PngImagePlugin import PngImageFile, PngInfo

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # the header's colour type, by channels
TRANSPARENT_COLOUR = "transparency"  # Pillow's name for the chunk tRNS
ORIENTATION_MARKS = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")  # chunks that may hold an orientation
DEEP_MODES = ("RGB;16B", "RGBA;16B", "LA;16B")  # Pillow's names for these files


def is_deep(picture: PngImageFile) -> bool:
    """Whether a file that is not decoded yet has 16 bits and more than gray."""
    return bool(picture.tile) and picture.tile[0].args in DEEP_MODES


def count_deep_channels(picture: PngImageFile) -> int:
    """The channels that `decode_deep_png` returns: 4 with alpha or a transparent colour, otherwise 3."""
    return 3 if picture.tile[0].args == "RGB;16B" and TRANSPARENT_COLOUR not in picture.info else 4


def decode_deep_png(data: bytes) -> np.ndarray:
    """A deep file as uint16 [H, W, 3 or 4], not turned by its orientation."""
    picture = PngImageFile(io.BytesIO(data))
    kind = str(picture.tile[0].args)
    if kind == "LA;16B":  # its pixels are as wide as RGBA's of 8 bits
        gray_alpha = np.ascontiguousarray(_load_in_mode(data, "RGBA", "RGBA")).view(">u2").astype(np.uint16)
        return gray_alpha[..., [0, 0, 0, 1]]
    mode = kind.partition(";")[0]
    high, low = (
        _load_in_mode(data, mode, f"{mode};16B"),
        _load_in_mode(data, mode, f"{mode};16L"),
    )  # each read keeps one of two bytes
    values = high.astype(np.uint16) << 8 | low
    colour = picture.info.get(TRANSPARENT_COLOUR)
    return values if colour is None else make_colour_transparent(values, colour)


def make_colour_transparent(values: np.ndarray, colour: int | tuple[int, ...]) -> np.ndarray:
    """uint16 [H, W, 1 or 3] as RGBA: pixels of the colour are transparent, all others are opaque."""
    is_opaque = (values != np.array(colour, np.uint16)).any(2, keepdims=True)
    return np.concatenate([values.repeat(4 - values.shape[2], 2)[..., :3], is_opaque * np.uint16(65535)], 2)


def _load_in_mode(data: bytes, mode: str, kind: str) -> np.ndarray:
    picture = PngImageFile(io.BytesIO(data))
    picture._mode = mode
    picture.tile = [tile._replace(args=kind) for tile in picture.tile]
    picture.load()
    return np.asarray(picture)


def encode_png(pixels: Picture | np.ndarray, png_info: PngInfo) -> bytes:
    """A PNG file of a Pillow picture, or of uint8 or uint16 [H, W, 1, 3 or 4], with the text of `png_info`.

    Arrays are not filtered: small pictures take no more space that way, and 2.5 times less time than in Pillow (docs/log.md).
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
