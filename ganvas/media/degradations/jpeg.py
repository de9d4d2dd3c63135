"""Pictures that were compressed too much."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...configuration import config
from ...errors import require
from .degradation import replace_colours, select_colours


@config
class Jpeg:
    """Compressed as JPEG and read again, by Pillow. Channels that are no colours are compressed one by one.

    quality: from and to; 100 is the best.
    """

    quality: tuple[int, int] = (30, 95)

    def __post_init__(self) -> None:
        require(1 <= self.quality[0] <= self.quality[1] <= 100, "quality", self.quality, "two rising numbers from 1 to 100")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        return {"source": compress_each(x, self.draw_qualities(len(x), generator))}

    def draw_qualities(self, count: int, generator: torch.Generator) -> list[int]:
        return torch.randint(self.quality[0], self.quality[1] + 1, (count,), generator=generator).tolist()


def compress_each(x: Tensor, qualities: Sequence[int]) -> Tensor:
    """Every picture of x [N, C, H, W] as JPEG of its own quality, and read again."""
    colours = select_colours(x)
    levels = colours.float().clamp(-1.0, 1.0).add_(1.0).mul_(127.5).round_().to(torch.uint8)
    pixels = levels.permute(0, 2, 3, 1).cpu().numpy()
    compressed = np.stack([compress(one, quality) for one, quality in zip(pixels, qualities, strict=True)])
    result = torch.from_numpy(compressed).to(x.device).permute(0, 3, 1, 2).to(x.dtype).div(127.5).sub(1.0)
    return replace_colours(x, result)


def compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    """uint8 [H, W, C] as JPEG, and read again."""
    if pixels.shape[2] == 3:
        return _compress_picture(np.ascontiguousarray(pixels), quality)
    bands = [_compress_picture(np.ascontiguousarray(pixels[..., k]), quality) for k in range(pixels.shape[2])]
    return np.stack(bands, 2)


def _compress_picture(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer, formats=("JPEG",)))
