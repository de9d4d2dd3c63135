"""Masks of pictures: 1 where they are to be filled or changed, 0 elsewhere."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..configuration import config
from ..core import Field, Spec
from .image.bands import convert_to_bands
from .image.codec import Framing, ImageCodec, frame_nearest
from .image.picture import decode_picture
from .image.sizes import PictureSize, parse_size

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


@config
class MaskCodec:
    """Masks: uint8 [N, H, W, 1] of 0 and 255 as stored, float [N, 1, H, W] of 0 and 1 for networks.

    In files, white is 1, also where it is written as 1; of a picture with transparency, its transparent part is 1.
    """

    size: int | str
    framing: Framing = "crop"

    @cached_property
    def _frame_size(self) -> PictureSize:
        return parse_size(self.size)

    @cached_property
    def _picture_codec(self) -> ImageCodec:
        return ImageCodec(size=self.size, channels=1)

    @property
    def medium(self) -> str:
        return "mask"

    @property
    def noun(self) -> str:
        return "masks"

    @property
    def is_visual(self) -> bool:
        return True

    @property
    def preview_count(self) -> int:
        return 64

    @property
    def spec(self) -> Spec:
        return Spec((1, self._frame_size.height, self._frame_size.width), (Field("mask", 1, "binary"),), {})

    def protocol(self) -> Mapping[str, str]:
        return {"resize": "nearest"}

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A file's bytes or an array -> uint8 [H, W, 1]. Raises GanvasError with the reason."""
        is_filled = find_filled_places(convert_to_bands(decode_picture(item)))
        return frame_nearest(255 * is_filled, self._frame_size, self.framing, fill=0).astype(np.uint8)[..., None]

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        return (stored.permute(0, 3, 1, 2) > 127).to(torch.float32)

    def store(self, x: Tensor) -> Tensor:
        return ((x.detach() > 0.5).to(torch.uint8) * 255).permute(0, 2, 3, 1).contiguous().cpu()

    def preview(self, stored: Tensor) -> "Picture":
        return self._picture_codec.preview(stored)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        return self._picture_codec.write(stored, folder, start, metadata)


def find_filled_places(bands: np.ndarray) -> np.ndarray:
    """A picture [H, W, C] as bool [H, W]: where it is transparent; without transparency, where it is white, or 1 of 0 and 1."""
    max_level = np.iinfo(bands.dtype).max
    if bands.shape[2] == 4 and bands[..., 3].min() < max_level:
        return bands[..., 3] <= max_level // 2
    levels = bands[..., :3].max(2)
    return levels > 0 if levels.max() <= 1 else levels > max_level // 2
