"""How images are stored (uint8 or uint16 [N, S, S, C]), fed to networks (float [N, C, S, S] in [-1, 1]), shown and written."""

import math
from collections.abc import Iterator, Mapping
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
from . import png, tiff
from .bands import MAX_CHANNELS, convert_channels, convert_depth, convert_to_bands, resize_bands
from .picture import PICTURE_CHANNELS, convert_to_mode, convert_to_pixels, decode_picture, flatten_transparency

RESIZE_FILTER = "lanczos"  # Pillow's filter, the only one; score cards name it
Framing = Literal["crop", "pad", "stretch"]
MAX_UNFILTERED_SIDE = 64  # pixels of a side, up to which a PNG is written without filters
PREVIEW_GAP = 2  # pixels between a preview's pictures
MAX_PREVIEW_WIDTH, MAX_TILE_SIDE = 1024, 256  # a preview's width and a tile's, in pixels, which enlarging does not go beyond


class Placement(NamedTuple):
    """Where what part of a picture goes in a square."""

    box: tuple[float, float, float, float] | None  # left, upper, right, lower in the picture; None: all of it
    size: tuple[int, int]  # width and height it comes to
    offset: tuple[int, int]  # left and upper in the square


@config
class ImageCodec:
    """Square images of `size` pixels with 1 (gray), 3 (RGB), 4 (RGBA) or any channels, of 8 or 16 bits each."""

    size: int
    channels: int = 3
    framing: Framing = "crop"
    background: int = 255
    flip: bool = False
    depth: Literal[8, 16] = 8

    def __post_init__(self) -> None:
        check_image_size(self.size)
        if not 1 <= self.channels <= MAX_CHANNELS or self.depth not in (8, 16):
            raise GanvasError(
                f"a codec has 1 to {MAX_CHANNELS} channels of 8 or 16 bits, not {self.channels} of {self.depth}: "
                "correct codec.json"
            )

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        """Of the stored form."""
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
        return Spec((self.channels, self.size, self.size), (Field("image", self.channels, "continuous"),), {})

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A file's bytes, or an array (`picture.decoded`), in stored form [S, S, C]. Raises GanvasError with the reason."""
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
        """What `encode` makes of each of [N, …], at once, where they are in stored form already; else None."""
        if array.dtype == self.stored_dtype and array.shape[1:] == (self.size, self.size) and self.channels == 1:
            return array[..., None]
        if array.dtype == self.stored_dtype and array.shape[1:] == (self.size, self.size, self.channels):
            return array
        return None

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """Stored [N, S, S, C] -> float32 [N, C, S, S] in [-1, 1], channels last in memory, flipped at random if so set."""
        if self.depth == 16:  # torch can do little with uint16 but pick and convert it
            stored = stored.to(torch.float32)
        if self.flip and generator is not None:
            is_mirrored = torch.rand(len(stored), generator=generator).to(stored.device) < 0.5
            stored = torch.where(is_mirrored[:, None, None, None], stored.flip(2), stored)
        return stored.permute(0, 3, 1, 2).to(torch.float32).div_(self._half_range).sub_(1.0)

    def store(self, x: Tensor) -> Tensor:
        """float [N, C, S, S] -> stored [N, S, S, C] on the CPU, clipped and rounded."""
        levels = x.detach().to(torch.float32).clamp(-1.0, 1.0).add(1.0).mul(self._half_range).round()
        if self.depth == 8:
            return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()
        return levels.permute(0, 2, 3, 1).contiguous().cpu().to(torch.uint16)

    @property
    def _half_range(self) -> float:
        return (2**self.depth - 1) / 2

    def preview(self, stored: Tensor) -> Picture:
        """A near-square grid of stored [N, S, S, C], small ones enlarged by a whole number, transparency filled.

        Of two channels the first is shown, of five or more the first three as RGB.
        """
        count = len(stored)
        columns = max(1, math.ceil(math.sqrt(count)))
        zoom = max(1, min(MAX_TILE_SIDE // self.size, (MAX_PREVIEW_WIDTH // columns - PREVIEW_GAP) // self.size))
        tile, rows = self.size * zoom, max(1, math.ceil(count / columns))
        shape = (columns * (tile + PREVIEW_GAP) - PREVIEW_GAP, rows * (tile + PREVIEW_GAP) - PREVIEW_GAP)
        grid = Image.new("L" if self.channels < 3 else "RGB", shape, "white")
        visible_channels = self.channels if self.channels in PICTURE_CHANNELS else (3 if self.channels > 3 else 1)
        for i, pixels in enumerate(stored.cpu().numpy()):
            picture = _convert_to_picture(convert_depth(pixels[..., :visible_channels], 8))
            picture = flatten_transparency(picture, self.background).resize((tile, tile), Image.Resampling.NEAREST)
            grid.paste(picture, (i % columns * (tile + PREVIEW_GAP), i // columns * (tile + PREVIEW_GAP)))
        return grid

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Stored [N, S, S, C] as 000000.png and on from `start`, each with `note` as PNG text; .tif where PNG cannot hold it.

        Raises:
            GanvasError: a folder that cannot be written; tifffile is missing.
        """
        return [write_bytes(folder / name, data) for name, data in self.files(stored, start, metadata)]

    def files(self, stored: Tensor, start: int, metadata: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """The same as (name, content) of each."""
        png_info = PngInfo()
        for name, text in metadata.items():
            png_info.add_text(name, text)
        for number, pixels in enumerate(stored.cpu().numpy(), start):
            if self.channels in PICTURE_CHANNELS:
                is_unfiltered = self.depth == 16 or self.size <= MAX_UNFILTERED_SIDE
                yield f"{number:06d}.png", png.encode_png(pixels if is_unfiltered else _convert_to_picture(pixels), png_info)
            else:
                yield f"{number:06d}.tif", tiff.encode_tiff(pixels, metadata)

    def _frame_picture(self, picture: Picture) -> Picture:
        """The picture as a square of `size` pixels; one that is so already stays as it is, bit for bit."""
        square = (self.size, self.size)
        if picture.size == square:
            return picture
        box, size, offset = self._place_in_square(*picture.size)
        inner = picture.resize(size, Image.Resampling.LANCZOS, box)
        if size == square:
            return inner
        gray = self.background
        frame = Image.new(picture.mode, square, {"L": gray, "RGB": (gray,) * 3, "RGBA": (gray, gray, gray, 0)}[picture.mode])
        frame.paste(inner, offset)
        return frame

    def _frame_bands(self, bands: np.ndarray) -> np.ndarray:
        """The same of [H, W, C]."""
        height, width, channels = bands.shape
        if (width, height) == (self.size, self.size):
            return bands
        box, size, (left, upper) = self._place_in_square(width, height)
        frame = np.full((self.size, self.size, channels), self.background * (2**self.depth - 1) // 255, bands.dtype)
        if channels == 4:
            frame[..., 3] = 0
        frame[upper : upper + size[1], left : left + size[0]] = resize_bands(bands, size, box)
        return frame

    def _place_in_square(self, width: int, height: int) -> Placement:
        square = (self.size, self.size)
        if self.framing == "stretch" or width == height:
            return Placement(None, square, (0, 0))
        if self.framing == "crop":
            side = min(width, height)
            left, upper = (width - side) / 2, (height - side) / 2
            return Placement((left, upper, left + side, upper + side), square, (0, 0))
        scale = self.size / max(width, height)
        inner_size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return Placement(None, inner_size, ((self.size - inner_size[0]) // 2, (self.size - inner_size[1]) // 2))


def check_image_size(size: int) -> None:
    """Raises GanvasError, with the nearest size that will do, unless `size` is from 4 to 2048. Networks may want less."""
    if not 4 <= size <= 2048:
        raise GanvasError(
            f"size must be from 4 to 2048 px, got {size}: resize the data with --medium.size {32 if size < 4 else 2048}"
        )


def _convert_to_picture(pixels: np.ndarray) -> Picture:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
