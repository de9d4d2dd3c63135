"""TIFF files of 16 bits or many channels. Pillow has no mode for them, so tifffile reads and writes them (extra `tiff`)."""

import io
import json
import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from ...errors import GanvasError
from .bands import MAX_CHANNELS, apply_orientation, convert_ink_to_rgb, separate_alpha

BITS_TAG, PHOTOMETRIC_TAG, DESCRIPTION_TAG, SAMPLES_TAG = 258, 262, 270, 277  # the format's tags
EXTRA_SAMPLES_TAG, SAMPLE_FORMAT_TAG, ORIENTATION_TAG = 338, 339, 274
WHITE_IS_ZERO, PALETTE, CMYK = 0, 3, 5  # of the photometric tag
UNREADABLE_COLOURS = {PALETTE: "palette", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32844: "LogL", 32845: "LogLuv"}
PREMULTIPLIED_ALPHA, SEPARATE_ALPHA = (1,), (2,)  # of the extra samples' tag
UNSIGNED_FORMATS = {1, 4}  # 4: nobody says
OTHER_FORMATS = {2: "int", 3: "float", 5: "complex int", 6: "complex float"}


def is_plain(picture: TiffImageFile) -> bool:
    """Whether Pillow reads everything in the file: gray of 8 or 16 bits, colours of 8, transparency."""
    tags = picture.tag_v2
    bits, samples = max(tags.get(BITS_TAG, (1,))), tags.get(SAMPLES_TAG, 1)
    photometric = tags.get(PHOTOMETRIC_TAG)
    if photometric in UNREADABLE_COLOURS and not (photometric == PALETTE and bits <= 8):
        return False
    if getattr(picture, "n_frames", 1) > 1 and str(tags.get(DESCRIPTION_TAG, "")).startswith(("<?xml", "<OME", "ImageJ=")):
        return False  # its pages may be channels
    if samples == 1:
        return bits <= 8 or (bits == 16 and photometric != WHITE_IS_ZERO)
    has_alpha = tags.get(EXTRA_SAMPLES_TAG) in (PREMULTIPLIED_ALPHA, SEPARATE_ALPHA)
    colours = samples - 1 if has_alpha else samples
    return bits <= 8 and (colours in (1, 3) or (colours == 4 and photometric == CMYK))


def check_sample_format(picture: TiffImageFile) -> None:
    """Raises GanvasError for signed and floating-point samples, which Pillow reads as unsigned whole numbers."""
    tags = picture.tag_v2
    other_formats = set(tags.get(SAMPLE_FORMAT_TAG, (1,))) - UNSIGNED_FORMATS
    if other_formats:
        kind = OTHER_FORMATS.get(min(other_formats), "unknown kind")
        raise build_format_error(tags.get(SAMPLES_TAG, 1), f"{kind}{max(tags.get(BITS_TAG, (1,)))}")


def build_format_error(channels: int, kind: str) -> GanvasError:
    return GanvasError(
        f"has {channels} channels of {kind}: save it with 8 or 16 bits, without a sign, and at most {MAX_CHANNELS} channels"
    )


class TiffSeries:
    """The first picture in a file, not decoded yet. Raises GanvasError if tifffile is missing, or for colours in Lab."""

    def __init__(self, data: bytes) -> None:
        self.series = _import_tifffile("read").TiffFile(io.BytesIO(data)).series[0]
        self.axes, self.shape = str(self.series.axes), tuple(map(int, self.series.shape))
        self.dtype = np.dtype(self.series.dtype)
        if "Y" not in self.axes or "X" not in self.axes:
            raise GanvasError(f"holds no picture: its axes are {self.axes}")
        page = self.series.keyframe
        self.photometric, self.extra_samples = int(page.photometric), tuple(map(int, page.extrasamples))
        orientation = page.tags[ORIENTATION_TAG].value if ORIENTATION_TAG in page.tags else 1
        self.orientation = int(orientation) if orientation in range(1, 9) else 1
        if self.photometric in UNREADABLE_COLOURS:
            raise GanvasError(f"has colours of the kind {UNREADABLE_COLOURS[self.photometric]}: save it as gray or RGB")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, the right way up."""
        width, height = self.shape[self.axes.index("X")], self.shape[self.axes.index("Y")]
        return (height, width) if self.orientation >= 5 else (width, height)

    @property
    def stored_channels(self) -> int:
        return math.prod(side for side, axis in zip(self.shape, self.axes, strict=True) if axis in "SC")

    @property
    def channels(self) -> int:
        """The channels of the decoded picture."""
        if self.has_ink:
            return 3
        return 4 if self.has_alpha else self.stored_channels

    @property
    def has_ink(self) -> bool:
        return self.photometric == CMYK and self.stored_channels == 4

    @property
    def has_alpha(self) -> bool:
        """Whether the file says that the last of two or four samples is alpha."""
        return self.extra_samples in (PREMULTIPLIED_ALPHA, SEPARATE_ALPHA) and self.stored_channels in (2, 4)

    def decode(self) -> np.ndarray:
        """uint8 or uint16 [H, W, C]; the first of a stack or a film."""
        values = scale_to_full_range(self._read_ordered_values(), self.series.keyframe.bitspersample)
        if self.photometric == WHITE_IS_ZERO:
            values = np.iinfo(values.dtype).max - values
        if self.has_ink:
            values = convert_ink_to_rgb(values)
        if self.has_alpha:
            values = separate_alpha(values, self.extra_samples == PREMULTIPLIED_ALPHA)
        return apply_orientation(values, self.orientation)

    def _read_ordered_values(self) -> np.ndarray:
        """[H, W, C] as stored."""
        try:
            values: np.ndarray = self.series.asarray()
        except Exception as error:  # which one depends on the packing
            if "imagecodecs" not in str(error):
                raise
            raise GanvasError(
                "has a compression that needs another package: pip install imagecodecs, or save it uncompressed"
            ) from error
        kept_axes = [i for i, axis in enumerate(self.axes) if axis in "YXSC"]
        values = values[tuple(slice(None) if i in kept_axes else 0 for i in range(values.ndim))]
        axes = [self.axes[i] for i in kept_axes]
        ordered = values.transpose(*(axes.index(a) for a in "YX"), *(i for i, a in enumerate(axes) if a in "SC"))
        ordered = ordered.reshape(*ordered.shape[:2], -1)
        return ordered.astype(ordered.dtype.newbyteorder("="))


def scale_to_full_range(values: np.ndarray, bits: int) -> np.ndarray:
    """Stretch values of fewer bits to the full range of their type: 4,095, the largest of 12 bits, becomes 65,535."""
    max_level = np.iinfo(values.dtype).max
    if 2**bits - 1 >= max_level:
        return values
    return (values.astype(np.float64) * max_level / (2**bits - 1)).round().astype(values.dtype)


def encode_tiff(pixels: np.ndarray, metadata: Mapping[str, str]) -> bytes:
    """A TIFF file of uint8 or uint16 [H, W, C], with `metadata` as description. Raises GanvasError if tifffile is missing."""
    file = io.BytesIO()
    _import_tifffile("written").imwrite(
        file, pixels, photometric="minisblack", planarconfig="contig", description=json.dumps(dict(metadata)), metadata=None
    )
    return file.getvalue()


def _import_tifffile(usage: str) -> Any:
    try:
        return import_module("tifffile")
    except ImportError as error:
        raise GanvasError(
            f"is a TIFF file that is {usage} by tifffile, which is missing: pip install 'ganvas[tiff]'"
        ) from error
