"""Images as a medium: size and channels are settled by looking at the data."""

import statistics
from typing import Literal, NamedTuple

import numpy as np

from ...configuration import config
from ...core import Items
from ...errors import GanvasError
from .codec import Framing, ImageCodec, check_image_size
from .picture import (
    PICTURE_CHANNELS,
    PICTURE_SUFFIXES,
    LazyPicture,
    decode_picture,
    flatten_transparency,
    is_gray,
    open_picture,
)

FIT_SAMPLE_IMAGES = 256  # items that `fit` looks at, drawn at random but always the same
CHANNEL_COUNTS = {"gray": 1, "rgb": 3, "rgba": 4}


class ImageProperties(NamedTuple):
    """What suits some items."""

    size: int
    channels: int
    depth: Literal[8, 16]


@config
class Image:
    """Pictures, made square: `crop` fills the square and cuts, `pad` fits inside it, `stretch` distorts."""

    size: int | None = None  # pixels; None: the power of two nearest to the data's median short side, from 8 to 64
    channels: Literal["auto", "gray", "rgb", "rgba"] = "auto"  # auto: gray if all the data is, else RGB, or as many as it has
    depth: Literal[8, 16] | None = None  # bits a channel; None: 16 if some of the data has more than 8
    framing: Framing = "crop"
    background: int = 255  # gray level, 0 to 255, behind transparency and around padding
    flip: bool = False  # mirror left and right at random in training

    def __post_init__(self) -> None:
        if self.size is not None:
            check_image_size(self.size)
        if not 0 <= self.background <= 255:
            raise GanvasError(f"background must be from 0 to 255, got {self.background}: set --medium.background 255")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return PICTURE_SUFFIXES

    def fit(self, items: Items) -> ImageCodec:
        """The codec for these items. Raises GanvasError if none of those sampled can be read, or their channels differ."""
        size, channels, depth = self.size, CHANNEL_COUNTS.get(self.channels), self.depth
        if size is None or channels is None or depth is None:
            # in order, so that a file of many items is gone through once
            indices = np.sort(np.random.default_rng(0).permutation(len(items))[:FIT_SAMPLE_IMAGES]).tolist()
            properties = self._inspect_items(items, indices, needs_channels=channels is None)
            size, channels, depth = size or properties.size, channels or properties.channels, depth or properties.depth
        return ImageCodec(
            size=size, channels=channels, framing=self.framing, background=self.background, flip=self.flip, depth=depth
        )

    def _inspect_items(self, items: Items, indices: list[int], needs_channels: bool) -> ImageProperties:
        """What suits the sampled items; those that cannot be read are passed over."""
        sides: list[int] = []
        channels, is_deep = {0}, False
        faults = [f"{items.title} is empty"]
        for i in indices:
            try:
                item = items[i]
                picture = open_picture(item)
                if needs_channels:
                    channels.add(self._count_channels(item, picture, 3 in channels))
                sides.append(min(picture.size))
                is_deep = is_deep or picture.depth == 16
            except (GanvasError, OSError) as error:
                faults.append(f"{items.names[i]} {error}")
        if not sides:
            raise GanvasError(f"no image in {items.title} can be read: {faults[-1]}")
        if not (channels <= {0, *PICTURE_CHANNELS} or len(channels) == 2):
            raise GanvasError(f"images in {items.title} have {min(channels - {0})} to {max(channels)} channels: give one kind")
        median = statistics.median(sides)
        return ImageProperties(min((64, 32, 16, 8), key=lambda size: abs(size - median)), max(channels), 16 if is_deep else 8)

    def _count_channels(self, item: bytes | np.ndarray, picture: LazyPicture, has_colours: bool) -> int:
        """How many channels an item wants; the first coloured one settles that for all that can be gray or RGB."""
        if picture.channels not in (0, 3):
            return picture.channels
        if has_colours:
            return 3
        pixels = decode_picture(item)
        return 1 if is_gray(pixels if isinstance(pixels, np.ndarray) else flatten_transparency(pixels, self.background)) else 3
