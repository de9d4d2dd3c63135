"""How images are stored (uint8 [N, S, S, C]), fed to networks (float [N, C, S, S] in [-1, 1]), shown and written."""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from PIL.Image import Image as Picture
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..config import config
from ..core import Field, Spec
from ..errors import GanvasError
from ..files import write_bytes
from .picture import as_mode, decoded, over

RESIZE = "lanczos"  # Pillow's filter, the only one; score cards name it
Framing = Literal["crop", "pad", "stretch"]
GAP = 2  # pixels between a preview's pictures
PREVIEW, TILE = 1024, 256  # a preview's width and a tile's, in pixels, which enlarging does not go beyond


@config
class ImageCodec:
    """Square images of `size` pixels with 1 (gray), 3 (RGB) or 4 (RGBA) channels."""

    size: int
    channels: int = 3
    framing: Framing = "crop"
    background: int = 255
    flip: bool = False

    def __post_init__(self) -> None:
        check_size(self.size)
        if self.channels not in (1, 3, 4):
            raise GanvasError(f"channels must be 1, 3 or 4, got {self.channels}: correct codec.json")

    @property
    def resize(self) -> str:
        return RESIZE

    @property
    def shown(self) -> int:
        return 64

    @property
    def spec(self) -> Spec:
        return Spec((self.channels, self.size, self.size), (Field("image", self.channels, "continuous"),), {})

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A file's bytes, or a uint8 array (`picture.decoded`), as uint8 [S, S, C]. Raises GanvasError with the reason."""
        picture = decoded(item)
        if self.channels == 4:
            picture = as_mode(picture, "RGBA")
        else:
            picture = as_mode(over(picture, self.background), "L" if self.channels == 1 else "RGB")
        return np.asarray(self._frame(picture)).reshape(self.size, self.size, self.channels)

    def encode_all(self, array: np.ndarray) -> np.ndarray | None:
        """What `encode` makes of each of uint8 [N, …], at once, where they are in stored form already; else None."""
        if array.dtype == np.uint8 and array.shape[1:] == (self.size, self.size) and self.channels == 1:
            return array[..., None]
        if array.dtype == np.uint8 and array.shape[1:] == (self.size, self.size, self.channels):
            return array
        return None

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint8 [N, S, S, C] -> float32 [N, C, S, S] in [-1, 1], channels last in memory, flipped at random if so set."""
        if self.flip and generator is not None:
            mirrored = torch.rand(len(stored), generator=generator).to(stored.device) < 0.5
            stored = torch.where(mirrored[:, None, None, None], stored.flip(2), stored)
        return stored.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1.0)

    def store(self, x: Tensor) -> Tensor:
        """float [N, C, S, S] -> uint8 [N, S, S, C] on the CPU, clipped and rounded."""
        levels = x.detach().to(torch.float32).clamp(-1.0, 1.0).add(1.0).mul(127.5).round()
        return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()

    def preview(self, stored: Tensor) -> Picture:
        """A near-square grid of uint8 [N, S, S, C], small ones enlarged by a whole number, transparency filled."""
        count = len(stored)
        columns = max(1, math.ceil(math.sqrt(count)))
        zoom = max(1, min(TILE // self.size, (PREVIEW // columns - GAP) // self.size))
        tile, rows = self.size * zoom, max(1, math.ceil(count / columns))
        grid = Image.new("L" if self.channels == 1 else "RGB", (columns * (tile + GAP) - GAP, rows * (tile + GAP) - GAP), 255)
        for i, pixels in enumerate(stored.cpu().numpy()):
            picture = over(_picture(pixels), self.background).resize((tile, tile), Image.Resampling.NEAREST)
            grid.paste(picture, (i % columns * (tile + GAP), i // columns * (tile + GAP)))
        return grid

    def write(self, stored: Tensor, folder: Path, start: int, note: Mapping[str, str]) -> list[Path]:
        """uint8 [N, S, S, C] as 000000.png and on from `start`, each with `note` as PNG text. Raises GanvasError."""
        marks = PngInfo()
        for name, text in note.items():
            marks.add_text(name, text)
        paths: list[Path] = []
        for number, pixels in enumerate(stored.cpu().numpy(), start):
            data = io.BytesIO()
            _picture(pixels).save(data, format="PNG", pnginfo=marks)
            paths.append(write_bytes(folder / f"{number:06d}.png", data.getvalue()))
        return paths

    def _frame(self, picture: Picture) -> Picture:
        """The picture as a square of `size` pixels; one that is so already stays as it is, bit for bit."""
        width, height = picture.size
        square = (self.size, self.size)
        if picture.size == square:
            return picture
        if self.framing == "stretch" or width == height:
            return picture.resize(square, Image.Resampling.LANCZOS)
        if self.framing == "crop":
            side = min(width, height)
            left, top = (width - side) / 2, (height - side) / 2
            return picture.resize(square, Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))
        scale = self.size / max(width, height)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        gray = self.background
        frame = Image.new(picture.mode, square, {"L": gray, "RGB": (gray,) * 3, "RGBA": (gray, gray, gray, 0)}[picture.mode])
        frame.paste(picture.resize(inner, Image.Resampling.LANCZOS), ((self.size - inner[0]) // 2, (self.size - inner[1]) // 2))
        return frame


def check_size(size: int) -> None:
    """Raises GanvasError, with the nearest size that will do, unless `size` is from 4 to 2048. Networks may want less."""
    if not 4 <= size <= 2048:
        raise GanvasError(
            f"size must be from 4 to 2048 px, got {size}: resize the data with --medium.size {32 if size < 4 else 2048}"
        )


def _picture(pixels: np.ndarray) -> Picture:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
