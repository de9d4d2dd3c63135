"""What a picture's file says beside its pixels, and how a translated file says it again and that it was made."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from PIL.Image import Exif
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile, PngInfo

DESCRIPTION_TAG, SOFTWARE_TAG = 270, 305
EXIF_IFD, GPS_IFD = 34665, 34853
WIDTH_TAG, HEIGHT_TAG = 40962, 40963  # in EXIF's own folder
DESCRIPTIVE_TAGS = (269, DESCRIPTION_TAG, 271, 272, 285, SOFTWARE_TAG, 306, 315, 316, 33432, *range(40091, 40096))  # not layout
XMP_TEXT = "XML:com.adobe.xmp"  # the PNG text that holds XMP
XMP_ORIENTATION = re.compile(r'tiff:Orientation(="|>)[1-8]')
PROFILE_SPACES = {1: b"GRAY", 3: b"RGB ", 4: b"RGB "}  # bytes 16 to 20 of an ICC profile, by a picture's channels


class PictureMetadata(NamedTuple):
    """What a file says beside its pixels. Pixels are upright, so an orientation is left out."""

    exif: Exif
    icc: bytes | None = None
    text: Mapping[str, str] = {}  # of a PNG
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None

    def fit_profile(self, channels: int) -> bytes | None:
        """The colour profile, if it is one for so many channels."""
        return self.icc if self.icc and self.icc[16:20] == PROFILE_SPACES.get(channels) else None

    def build_exif(self, provenance: Mapping[str, str], size: tuple[int, int]) -> Exif:
        """EXIF for a picture of (width, height) that was made."""
        marked = Exif()
        marked.update(self.exif)
        for ifd in (EXIF_IFD, GPS_IFD):
            if fields := self.exif.get_ifd(ifd):
                marked.get_ifd(ifd).update(fields)
        if WIDTH_TAG in (fields := marked.get_ifd(EXIF_IFD)):
            fields[WIDTH_TAG], fields[HEIGHT_TAG] = size
        own_text = str(self.exif.get(DESCRIPTION_TAG, "")).strip()
        made_text = ". ".join(provenance.values())
        marked[DESCRIPTION_TAG] = f"{own_text}. {made_text}" if own_text else made_text
        marked[SOFTWARE_TAG] = provenance["Software"]
        return marked

    def build_png_text(self, provenance: Mapping[str, str]) -> PngInfo:
        """The file's own text, and what marks it as made; what has the same name is kept as "Original …"."""
        info = PngInfo()
        for name, text in self.text.items():
            add = info.add_itxt if name == XMP_TEXT or not text.isascii() else info.add_text
            add(f"Original {name}" if name in provenance else name, reset_orientation(text))
        for name, text in provenance.items():
            info.add_text(name, text)
        return info


def reset_orientation(text: str) -> str:
    """XMP that says that the picture is upright."""
    return XMP_ORIENTATION.sub(r"tiff:Orientation\g<1>1", text)


def read_metadata(picture: ImageFile) -> PictureMetadata:
    """Of an opened file. What cannot be read is left out: a photograph with broken EXIF data is still a photograph."""
    info: dict[Any, Any] = picture.info
    text = {str(name): str(value) for name, value in read_png_text(picture).items()}
    xmp, dpi = info.get("xmp"), info.get("dpi")
    return PictureMetadata(
        read_exif(picture),
        info.get("icc_profile") or None,
        text,
        (float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
        reset_orientation(xmp.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") if xmp else None,
    )


def read_exif(picture: ImageFile) -> Exif:
    """The descriptive fields of EXIF; empty if there are none, or broken ones."""
    kept = Exif()
    try:
        found = picture.getexif()
        for tag in DESCRIPTIVE_TAGS:
            if tag in found:
                kept[tag] = found[tag]
        for ifd in (EXIF_IFD, GPS_IFD):
            if fields := found.get_ifd(ifd):
                kept.get_ifd(ifd).update(fields)
        kept.tobytes()
    except Exception:  # on broken bytes Pillow raises nearly anything
        return Exif()
    return kept


def read_png_text(picture: ImageFile) -> Mapping[str, str]:
    """A PNG's text, also what comes after the pixels."""
    return picture.text if isinstance(picture, PngImageFile) else {}
