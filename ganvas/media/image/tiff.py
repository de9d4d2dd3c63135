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

BITS_TAG, PHOTOMETRIC_TAG, DESCRIPTION_TAG, SAMPLES_TAG, EXTRA_SAMPLES_TAG = 258, 262, 270, 277, 338  # the format's tags
WHITE_IS_ZERO, CMYK = 0, 5


def is_plain(picture: TiffImageFile) -> bool:
    """Whether Pillow reads everything in the file: gray of 8 or 16 bits, colours of 8, transparency."""
    tags = picture.tag_v2
    bits, samples = max(tags.get(BITS_TAG, (1,))), tags.get(SAMPLES_TAG, 1)
    if getattr(picture, "n_frames", 1) > 1 and str(tags.get(DESCRIPTION_TAG, "")).startswith(("<?xml", "<OME", "ImageJ=")):
        return False  # its pages may be channels
    if samples == 1:
        return bits <= 8 or (bits == 16 and tags.get(PHOTOMETRIC_TAG) != WHITE_IS_ZERO)
    colours = samples - 1 if tags.get(EXTRA_SAMPLES_TAG) in ((1,), (2,)) else samples  # these values mean transparency
    return bits <= 8 and (colours in (1, 3) or (colours == 4 and tags.get(PHOTOMETRIC_TAG) == CMYK))


class TiffSeries:
    """The first picture in a file, not decoded yet. Raises GanvasError if tifffile is missing."""

    def __init__(self, data: bytes) -> None:
        self.series = _import_tifffile("read").TiffFile(io.BytesIO(data)).series[0]
        self.axes, self.shape = str(self.series.axes), tuple(map(int, self.series.shape))
        self.dtype = np.dtype(self.series.dtype)
        if "Y" not in self.axes or "X" not in self.axes:
            raise GanvasError(f"holds no picture: its axes are {self.axes}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.shape[self.axes.index("X")], self.shape[self.axes.index("Y")]

    @property
    def channels(self) -> int:
        return math.prod(side for side, axis in zip(self.shape, self.axes, strict=True) if axis in "SC")

    def decode(self) -> np.ndarray:
        """uint8 or uint16 [H, W, C]; the first of a stack or a film."""
        try:
            values: np.ndarray = self.series.asarray()
        except ValueError as error:
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
        if self.series.keyframe.photometric == WHITE_IS_ZERO:
            ordered = np.iinfo(ordered.dtype).max - ordered
        return ordered.astype(ordered.dtype.newbyteorder("="))


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
