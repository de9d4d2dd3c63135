"""Images as a medium: size and channels are settled by looking at the data."""

import statistics
from typing import Literal

import numpy as np
from PIL.Image import Image as Picture

from ..config import config
from ..core import Items
from ..errors import GanvasError
from .image_codec import Framing, ImageCodec, check_size
from .picture import SUFFIXES, decoded, is_gray, opened, over

SAMPLED = 256  # items that `fit` looks at, drawn at random but always the same
CHANNELS = {"gray": 1, "rgb": 3, "rgba": 4}


@config
class Image:
    """Pictures, made square: `crop` fills the square and cuts, `pad` fits inside it, `stretch` distorts."""

    size: int | None = None  # pixels; None: the power of two nearest to the data's median short side, from 8 to 64
    channels: Literal["auto", "gray", "rgb", "rgba"] = "auto"  # auto: gray if all the data is, else RGB
    framing: Framing = "crop"
    background: int = 255  # gray level, 0 to 255, behind transparency and around padding
    flip: bool = False  # mirror left and right at random in training

    def __post_init__(self) -> None:
        if self.size is not None:
            check_size(self.size)
        if not 0 <= self.background <= 255:
            raise GanvasError(f"background must be from 0 to 255, got {self.background}: set --medium.background 255")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return SUFFIXES

    def fit(self, items: Items) -> ImageCodec:
        """The codec for these items. Raises GanvasError if none of those sampled can be read."""
        size, channels = self.size, CHANNELS.get(self.channels)
        if size is None or channels is None:
            sample = np.random.default_rng(0).permutation(len(items))[:SAMPLED].tolist()
            found = self._look(items, sample, colours=channels is None)
            size, channels = size or found[0], channels or found[1]
        return ImageCodec(size=size, channels=channels, framing=self.framing, background=self.background, flip=self.flip)

    def _look(self, items: Items, sample: list[int], colours: bool) -> tuple[int, int]:
        """The size and the channels that suit the sampled items; those that cannot be read are passed over."""
        sides: list[int] = []
        gray, faults = True, [f"{items.title} is empty"]
        for i in sample:
            try:
                item = items[i]
                picture = decoded(item) if colours and gray else opened(item)  # the first colour settles the channels
                gray = gray and (not colours or self._is_gray(picture))
                sides.append(min(picture.size))
            except (GanvasError, OSError) as error:
                faults.append(f"{items.names[i]} {error}")
        if not sides:
            raise GanvasError(f"no image in {items.title} can be read: {faults[-1]}")
        median = statistics.median(sides)
        return min((64, 32, 16, 8), key=lambda size: abs(size - median)), 1 if gray else 3

    def _is_gray(self, picture: Picture) -> bool:
        return is_gray(over(picture, self.background))
