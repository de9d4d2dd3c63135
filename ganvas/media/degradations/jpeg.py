"""Pictures that were compressed too much."""

import io
from collections.abc import Mapping

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
        qualities = torch.randint(self.quality[0], self.quality[1] + 1, (len(x),), generator=generator).tolist()
        colours = select_colours(x)
        levels = colours.float().clamp(-1.0, 1.0).add(1.0).mul(127.5).round().to(torch.uint8)
        pixels = levels.permute(0, 2, 3, 1).cpu().numpy()
        compressed = np.stack([compress(one, quality) for one, quality in zip(pixels, qualities, strict=True)])
        result = torch.from_numpy(compressed).to(x.device).permute(0, 3, 1, 2).to(x.dtype).div(127.5).sub(1.0)
        return {"source": replace_colours(x, result)}


def compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    """uint8 [H, W, C] as JPEG, and read again."""
    if pixels.shape[2] == 3:
        return _compress_picture(np.ascontiguousarray(pixels), quality)
    bands = [_compress_picture(np.ascontiguousarray(pixels[..., k]), quality) for k in range(pixels.shape[2])]
    return np.stack(bands, 2)


def _compress_picture(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
