"""How images are stored (uint8 or uint16 [N, H, W, C]), fed to networks (float [N, C, H, W] in [-1, 1]), shown and written."""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from PIL import Image
from PIL.Image import Image as Picture
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ...configuration import config
from ...core import Field, Spec
from ...errors import GanvasError
from ...system.files import write_bytes
from ..conditions import SampleCondition, derive_sample_condition
from . import png, tiff
from .bands import MAX_CHANNELS, convert_channels, convert_depth, convert_to_bands, resize_bands
from .jitter import take_random_parts
from .picture import PICTURE_CHANNELS, convert_to_mode, convert_to_pixels, decode_picture, flatten_transparency
from .sizes import PictureSize, parse_size

RESIZE_FILTER = "lanczos"  # Pillow's filter; score cards name it
Framing = Literal["crop", "pad", "stretch"]
MAX_UNFILTERED_SIDE = 64  # up to this side, PNGs are written without filters
PREVIEW_GAP = 2  # pixels between a preview's pictures
MAX_PREVIEW_WIDTH, MAX_TILE_SIDE = 1024, 256  # pixels of a preview and of a tile, up to which pictures are enlarged


class Placement(NamedTuple):
    """Which part of a picture goes where in a frame."""

    box: tuple[float, float, float, float] | None  # left, upper, right, lower in the picture; None: all of it
    size: tuple[int, int]  # width and height after resizing
    offset: tuple[int, int]  # left and upper in the frame


@config
class ImageCodec:
    """Images of `size` pixels with 1 (gray), 3 (RGB), 4 (RGBA) or any channels, of 8 or 16 bits each.

    size: a square's side, or "WIDTHxHEIGHT".
    """

    size: int | str
    channels: int = 3
    framing: Framing = "crop"
    background: int = 255
    flip: bool = False
    depth: Literal[8, 16] = 8
    enlarge: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", parse_size(self.size).setting)
        if not 1 <= self.channels <= MAX_CHANNELS or self.depth not in (8, 16):
            raise GanvasError(
                f"a codec has 1 to {MAX_CHANNELS} channels of 8 or 16 bits, not {self.channels} of {self.depth}: "
                "correct codec.json"
            )

    @cached_property
    def frame_size(self) -> PictureSize:
        """Width and height in pixels."""
        return parse_size(self.size)

    @property
    def stored_shape(self) -> tuple[int, int, int]:
        """The shape of a stored sample, [H, W, C]."""
        return (self.frame_size.height, self.frame_size.width, self.channels)

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        """The type of stored values."""
        return np.dtype(np.uint8) if self.depth == 8 else np.dtype(np.uint16)

    @property
    def medium(self) -> str:
        return "image"

    @property
    def noun(self) -> str:
        return "pictures"

    @property
    def is_visual(self) -> bool:
        return True

    def protocol(self) -> Mapping[str, str]:
        return {"resize": RESIZE_FILTER}

    @property
    def preview_count(self) -> int:
        return 64

    @property
    def spec(self) -> Spec:
        height, width, channels = self.stored_shape
        return Spec((channels, height, width), (Field("image", self.channels, "continuous"),), {})

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A file's bytes or an array (see `decode_picture`) in stored form [H, W, C]. Raises GanvasError with the reason."""
        pixels = decode_picture(item)
        if isinstance(pixels, np.ndarray) and pixels.dtype == np.uint16 and self.depth == 8:
            pixels = convert_to_pixels(convert_depth(pixels, 8), PICTURE_CHANNELS)
        if isinstance(pixels, Picture) and self.depth == 8 and self.channels in PICTURE_CHANNELS:
            return convert_to_bands(self._frame_picture(self._convert_mode(pixels)))
        bands = convert_channels(convert_depth(convert_to_bands(pixels), self.depth), self.channels, self.background)
        return self._frame_bands(bands)

    def _convert_mode(self, picture: Picture) -> Picture:
        if self.channels == 4:
            return convert_to_mode(picture, "RGBA")
        return convert_to_mode(flatten_transparency(picture, self.background), "L" if self.channels == 1 else "RGB")

    def encode_all(self, array: np.ndarray) -> np.ndarray | None:
        """`encode` for all of [N, …] at once, if they are in stored form already; otherwise None."""
        if array.dtype == self.stored_dtype and array.shape[1:] == self.stored_shape[:2] and self.channels == 1:
            return array[..., None]
        if array.dtype == self.stored_dtype and array.shape[1:] == self.stored_shape:
            return array
        return None

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """Stored [N, H, W, C] -> float32 [N, C, H, W] in [-1, 1], channels last in memory.

        With a generator, pictures are mirrored at random if `flip`, and random parts of them are enlarged if `enlarge` > 1.
        """
        if self.depth == 16:  # torch can only index and convert uint16
            stored = stored.to(torch.float32)
        if self.flip and generator is not None:
            is_mirrored = torch.rand(len(stored), generator=generator).to(stored.device) < 0.5
            stored = torch.where(is_mirrored[:, None, None, None], stored.flip(2), stored)
        x = stored.permute(0, 3, 1, 2).to(torch.float32).div_(self._half_range).sub_(1.0)
        if self.enlarge > 1.0 and generator is not None:
            return take_random_parts(x, self.enlarge, generator).clamp_(-1.0, 1.0)
        return x

    def store(self, x: Tensor) -> Tensor:
        """float [N, C, H, W] -> stored [N, H, W, C] on the CPU, clipped and rounded."""
        levels = x.detach().to(torch.float32).clamp(-1.0, 1.0).add(1.0).mul(self._half_range).round()
        if self.depth == 8:
            return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()
        return levels.permute(0, 2, 3, 1).contiguous().cpu().to(torch.uint16)

    def derive_condition(self, stored: Tensor) -> SampleCondition:
        """For a column that others are made from: its pictures [N, H, W, C] as a condition."""
        return derive_sample_condition(self, stored)

    @property
    def _half_range(self) -> float:
        return (2**self.depth - 1) / 2

    def preview(self, stored: Tensor) -> Picture:
        """As many rows as columns of stored [N, H, W, C]; small ones are enlarged by a whole number, transparency is filled.

        Two channels show the first, five or more the first three as RGB.
        """
        count = len(stored)
        columns = max(1, math.ceil(math.sqrt(count)))
        side, rows = max(self.frame_size), max(1, math.ceil(count / columns))
        zoom = max(1, min(MAX_TILE_SIDE // side, (MAX_PREVIEW_WIDTH // columns - PREVIEW_GAP) // side))
        tile = PictureSize(self.frame_size.width * zoom, self.frame_size.height * zoom)
        shape = (columns * (tile.width + PREVIEW_GAP) - PREVIEW_GAP, rows * (tile.height + PREVIEW_GAP) - PREVIEW_GAP)
        grid = Image.new("L" if self.channels < 3 else "RGB", shape, "white")
        visible_channels = self.channels if self.channels in PICTURE_CHANNELS else (3 if self.channels > 3 else 1)
        for i, pixels in enumerate(stored.cpu().numpy()):
            picture = _convert_to_picture(convert_depth(pixels[..., :visible_channels], 8))
            picture = flatten_transparency(picture, self.background).resize(tile, Image.Resampling.NEAREST)
            grid.paste(picture, (i % columns * (tile.width + PREVIEW_GAP), i // columns * (tile.height + PREVIEW_GAP)))
        return grid

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write stored [N, H, W, C] as 000000.png etc. from `start` on, `metadata` as PNG text; .tif if PNG cannot hold it.

        Raises:
            GanvasError: the folder cannot be written, or tifffile is missing.
        """
        return [write_bytes(folder / name, data) for name, data in self.files(stored, start, metadata)]

    def files(self, stored: Tensor, start: int, metadata: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """The files of `write`, as (name, content)."""
        png_info = PngInfo()
        for name, text in metadata.items():
            png_info.add_text(name, text)
        for number, pixels in enumerate(stored.cpu().numpy(), start):
            if self.channels in PICTURE_CHANNELS:
                is_unfiltered = self.depth == 16 or max(self.frame_size) <= MAX_UNFILTERED_SIDE
                yield f"{number:06d}.png", png.encode_png(pixels if is_unfiltered else _convert_to_picture(pixels), png_info)
            else:
                yield f"{number:06d}.tif", tiff.encode_tiff(pixels, metadata)

    def _frame_picture(self, picture: Picture) -> Picture:
        """The picture in a frame of `size` pixels; one of that size stays as it is, bit for bit."""
        if picture.size == self.frame_size:
            return picture
        box, size, offset = self._place_in_frame(*picture.size)
        inner = picture.resize(size, Image.Resampling.LANCZOS, box)
        if size == self.frame_size:
            return inner
        gray = self.background
        fill = {"L": gray, "RGB": (gray,) * 3, "RGBA": (gray, gray, gray, 0)}[picture.mode]
        frame = Image.new(picture.mode, self.frame_size, fill)
        frame.paste(inner, offset)
        return frame

    def _frame_bands(self, bands: np.ndarray) -> np.ndarray:
        """The same for an array [H, W, C]."""
        height, width, channels = bands.shape
        if (width, height) == self.frame_size:
            return bands
        box, size, (left, upper) = self._place_in_frame(width, height)
        frame = np.full((*self.stored_shape[:2], channels), self.background * (2**self.depth - 1) // 255, bands.dtype)
        if channels == 4:
            frame[..., 3] = 0
        frame[upper : upper + size[1], left : left + size[0]] = resize_bands(bands, size, box)
        return frame

    def _place_in_frame(self, width: int, height: int) -> Placement:
        return place_in_frame(width, height, self.frame_size, self.framing)


def place_in_frame(width: int, height: int, frame: PictureSize, framing: Framing) -> Placement:
    """Where a picture of `width` x `height` px goes in a frame."""
    if framing == "stretch" or width * frame.height == height * frame.width:
        return Placement(None, frame, (0, 0))
    if framing == "crop":
        scale = min(width / frame.width, height / frame.height)  # the picture's pixels for one of the frame
        box_width, box_height = frame.width * scale, frame.height * scale
        left, upper = (width - box_width) / 2, (height - box_height) / 2
        return Placement((left, upper, left + box_width, upper + box_height), frame, (0, 0))
    scale = min(frame.width / width, frame.height / height)
    inner_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Placement(None, inner_size, ((frame.width - inner_size[0]) // 2, (frame.height - inner_size[1]) // 2))


def frame_nearest(values: np.ndarray, frame: PictureSize, framing: Framing, fill: int) -> np.ndarray:
    """Whole numbers [H, W] in a frame, as int32: each pixel takes the nearest one's value; `fill` goes around padding."""
    box, size, (left, upper) = place_in_frame(values.shape[1], values.shape[0], frame, framing)
    inner = Image.fromarray(values.astype(np.int32)).resize(size, Image.Resampling.NEAREST, box)
    framed = np.full((frame.height, frame.width), fill, np.int32)
    framed[upper : upper + size[1], left : left + size[0]] = np.asarray(inner)
    return framed


def _convert_to_picture(pixels: np.ndarray) -> Picture:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
