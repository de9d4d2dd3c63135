"""Read and write picture files so that nothing is lost: depth, transparency, metadata, format."""

import io
import struct
import zlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.Image import Image as Picture
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import GanvasError
from ..media.image.bands import convert_channels, convert_depth, convert_to_bands
from ..media.image.picture import decode_picture, decode_plain_picture
from ..media.image.png import encode_png
from ..system.files import explain_os_errors, write_atomically
from ..system.signatures import SIGNATURE_BYTES, guess_suffix
from .metadata import PictureMetadata, read_metadata

FORMATS = {  # of a result, by its suffix
    **dict.fromkeys((".png", ".apng"), "PNG"),
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    ".webp": "WEBP",
}
REPLACED_SUFFIXES = {".bmp": ".png", ".dib": ".png", ".gif": ".png"}  # these hold no metadata, or too few colours
OPENERS: Mapping[str, type[ImageFile]] = {
    ".png": PngImageFile,
    ".jpg": JpegImageFile,
    ".webp": WebPImageFile,
    ".tif": TiffImageFile,
}
QUALITY = 95  # of JPEG and WebP
MAX_EXIF_BYTES = 65_500  # in a JPEG
WHITE = 255


class PictureFile(NamedTuple):
    """A file's pixels, uint8 or uint16 [H, W, C], and what it says beside them."""

    pixels: np.ndarray
    metadata: PictureMetadata
    is_lossless: bool  # a WebP of this kind is written as one
    is_animation: bool


def read_pixels(image: str | Path | Picture | np.ndarray) -> np.ndarray:
    """A file, a Pillow picture or an array [H, W] or [H, W, C] as uint8 or uint16 [H, W, C].

    Raises:
        GanvasError: a file that cannot be read, or an array of another kind.
    """
    if isinstance(image, Picture):
        return convert_to_bands(decode_plain_picture(image))
    if isinstance(image, np.ndarray):
        if image.ndim == 3 and image.dtype.name in ("uint8", "uint16"):
            return image  # also one that is smaller than what can be learned from, or of other channels
        return convert_to_bands(decode_picture(image))
    return read_picture_file(Path(image)).pixels


def read_file(path: Path) -> bytes:
    """Raises GanvasError with the file's name."""
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise GanvasError(f"{path} cannot be read ({(error.strerror or str(error)).lower()})") from None


def read_picture_file(path: Path) -> PictureFile:
    """Raises GanvasError with the file's name."""
    data = read_file(path)
    try:
        pixels = convert_to_bands(decode_picture(data))
    except GanvasError as error:
        raise GanvasError(f"{path} {error}") from None
    opener = OPENERS.get(guess_suffix(data[:SIGNATURE_BYTES]))
    metadata, frames = PictureMetadata(Image.Exif()), 1
    if opener is not None:
        try:
            picture = opener(io.BytesIO(data))
            metadata, frames = read_metadata(picture), int(getattr(picture, "n_frames", 1))
        except Exception:  # its pixels could be read, and that counts
            pass
    is_animation = (frames > 1 and opener is not TiffImageFile) or (data[:4] == b"GIF8" and _count_gif_frames(data) > 1)
    return PictureFile(pixels, metadata, b"VP8L" in data[:4096], is_animation)


def _count_gif_frames(data: bytes) -> int:
    from PIL.GifImagePlugin import GifImageFile

    try:
        return GifImageFile(io.BytesIO(data)).n_frames
    except Exception:  # as above
        return 1


def write_result(path: Path, pixels: np.ndarray, source: PictureFile, provenance: Mapping[str, str]) -> None:
    """Write a translated picture in the format of its suffix, with its source's metadata and the mark that it was made.

    JPEG has no transparency, and JPEG and WebP have 8 bits: pixels are converted.

    Raises:
        GanvasError: the file cannot be written, or the format cannot hold the picture.
    """
    kind = FORMATS[path.suffix.lower()]
    if kind in ("JPEG", "WEBP"):
        pixels = convert_depth(pixels, 8)
    if kind == "JPEG" and pixels.shape[2] == 4:
        pixels = convert_channels(pixels, 3, WHITE)
    if pixels.shape[2] not in (1, 3, 4) and kind != "TIFF":
        raise GanvasError(f"{path.name}: {kind} cannot hold {pixels.shape[2]} channels, TIFF can: save the picture as .tif")
    with explain_os_errors("writing the picture", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: _write(temporary, kind, pixels, source, provenance))


def _write(path: Path, kind: str, pixels: np.ndarray, source: PictureFile, provenance: Mapping[str, str]) -> None:
    metadata, channels = source.metadata, pixels.shape[2]
    exif = metadata.build_exif(provenance, (pixels.shape[1], pixels.shape[0]))
    icc = metadata.fit_profile(channels)
    if kind == "TIFF" and (pixels.dtype == np.uint16 or channels not in (1, 3, 4)):
        _write_wide_tiff(path, pixels, exif, icc)
        return
    if kind == "PNG" and pixels.dtype == np.uint16:
        path.write_bytes(_encode_deep_png(pixels, metadata, exif.tobytes(), icc, provenance))
        return
    settings: dict[str, Any] = {"icc_profile": icc, "exif": exif.tobytes()}
    settings |= {"dpi": metadata.dpi} if metadata.dpi else {}
    if kind == "PNG":
        settings |= {"pnginfo": metadata.build_png_text(provenance)}
    elif kind != "TIFF":  # which stays uncompressed, as deep ones do
        if len(exif.tobytes()) > MAX_EXIF_BYTES:
            settings["exif"] = PictureMetadata(Image.Exif()).build_exif(provenance, (0, 0)).tobytes()
        settings |= {"quality": QUALITY, **({"xmp": metadata.xmp} if metadata.xmp else {})}
        settings |= {"subsampling": 0} if kind == "JPEG" else {"lossless": source.is_lossless}
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(path, kind, **settings)


def _encode_deep_png(
    pixels: np.ndarray, metadata: PictureMetadata, exif: bytes, icc: bytes | None, provenance: Mapping[str, str]
) -> bytes:
    """Pillow writes no 16-bit colours, so the chunks are put in here."""
    info = metadata.build_png_text(provenance)
    if icc:
        info.add(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
    if metadata.dpi:
        x, y = (round(dots / 0.0254) for dots in metadata.dpi)  # a metre
        info.add(b"pHYs", struct.pack(">IIB", x, y, 1))
    info.add(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return encode_png(pixels, info)


def _write_wide_tiff(path: Path, pixels: np.ndarray, exif: Image.Exif, icc: bytes | None) -> None:
    """16 bits, or many channels."""
    try:
        tifffile: Any = import_module("tifffile")
    except ImportError as error:
        raise GanvasError(f"{path.name} is written by tifffile, which is missing: pip install 'ganvas[tiff]'") from error
    channels = pixels.shape[2]
    text = {tag: str(value) for tag, value in exif.items() if isinstance(value, str) and tag not in (270, 305)}
    settings: dict[str, Any] = {"photometric": "rgb" if channels in (3, 4) else "minisblack"}
    settings |= {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(
        path,
        pixels[..., 0] if channels == 1 else pixels,
        planarconfig="contig" if channels > 1 else None,
        description=str(exif[270]).encode("ascii", "replace").decode(),
        software=str(exif[305]),
        iccprofile=icc,
        metadata=None,
        extratags=[(tag, 2, 0, value.encode("ascii", "replace").decode(), True) for tag, value in text.items()],
        **settings,
    )
