"""Images as a medium: size and channels are chosen from the data."""

from typing import Literal, NamedTuple

import numpy as np

from ...configuration import config
from ...core import Items
from ...errors import GanvasError, require
from .codec import Framing, ImageCodec
from .jitter import MAX_ENLARGEMENT
from .picture import (
    PICTURE_CHANNELS,
    PICTURE_SUFFIXES,
    LazyPicture,
    decode_picture,
    flatten_transparency,
    is_gray,
    open_picture,
)
from .sizes import MAX_SIDE, SIDE_STEP, USUAL_PIXELS, choose_size, parse_size

FIT_SAMPLE_IMAGES = 256  # items that `fit` looks at: random, but always the same
CHANNEL_COUNTS = {"gray": 1, "rgb": 3, "rgba": 4}


class ImageProperties(NamedTuple):
    """What some items are like, and the settings that suit them."""

    picture_sizes: list[tuple[int, int]]  # width and height of each that can be read
    channels: int
    depth: Literal[8, 16]


@config
class Image:
    """Pictures, brought to one size: `crop` fills the frame and cuts, `pad` fits inside it, `stretch` distorts.

    size: pixels: 64 is 64x64, and 96x64 is 96 wide and 64 high. Without it, the pictures' own size or shape in multiples of 8,
        with about `pixels` pixels at most, and a square if their shapes differ.
    pixels: about how many pixels a picture has at most, if `size` is not given. Long runs of `auto` raise it.
    """

    size: int | str | None = None
    channels: Literal["auto", "gray", "rgb", "rgba"] = "auto"  # auto: gray if all data is gray, else RGB, or as in the data
    depth: Literal[8, 16] | None = None  # bits per channel; None: 16 if some of the data has more than 8
    framing: Framing = "crop"
    background: int = 255  # gray level, 0 to 255, behind transparency and around padding
    flip: bool = False  # mirror left and right at random in training
    enlarge: float = 1.0  # in training, enlarge so many times and take a random part of the usual size; 286 / 256 in pix2pix
    pixels: int = USUAL_PIXELS

    def __post_init__(self) -> None:
        if self.size is not None:
            object.__setattr__(self, "size", parse_size(self.size).setting)
        require(1 <= self.enlarge <= MAX_ENLARGEMENT, "enlarge", self.enlarge, f"from 1 to {MAX_ENLARGEMENT:g}")
        require(0 <= self.background <= 255, "background", self.background, "from 0 to 255")
        require(SIDE_STEP**2 <= self.pixels <= MAX_SIDE**2, "pixels", self.pixels, f"from {SIDE_STEP**2} to {MAX_SIDE**2:,}")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return PICTURE_SUFFIXES

    def fit(self, items: Items) -> ImageCodec:
        """The codec for these items. Raises GanvasError if no sampled item can be read, or channels differ."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[ImageCodec, list[str]]:
        """`fit`, and what to say of the choices."""
        size, channels, depth, reasons = self.size, CHANNEL_COUNTS.get(self.channels), self.depth, list[str]()
        if size is None or channels is None or depth is None:
            properties = self.inspect_items(items, needs_channels=channels is None)
            channels, depth = channels or properties.channels, depth or properties.depth
            if size is None:
                choice = choose_size(properties.picture_sizes, self.pixels)
                size, reasons = choice.size.setting, [choice.reason]
        return (
            ImageCodec(
                size=size,
                channels=channels,
                framing=self.framing,
                background=self.background,
                flip=self.flip,
                depth=depth,
                enlarge=self.enlarge,
            ),
            reasons,
        )

    def inspect_items(self, items: Items, needs_channels: bool = True) -> ImageProperties:
        """What a sample of the items is like; those that cannot be read are skipped.

        Raises:
            GanvasError: no sampled item can be read, or channels differ.
        """
        # in order, so that a file of many items is read through once
        indices = np.sort(np.random.default_rng(0).permutation(len(items))[:FIT_SAMPLE_IMAGES]).tolist()
        picture_sizes: list[tuple[int, int]] = []
        channels, is_deep = {0}, False
        faults = [f"{items.title} is empty"]
        for i in indices:
            try:
                item = items[i]
                picture = open_picture(item)
                if needs_channels:
                    channels.add(self._count_channels(item, picture, 3 in channels))
                picture_sizes.append(picture.size)
                is_deep = is_deep or picture.depth == 16
            except (GanvasError, OSError) as error:
                faults.append(f"{items.names[i]} {error}")
        if not picture_sizes:
            raise GanvasError(f"no image in {items.title} can be read: {faults[-1]}")
        if not (channels <= {0, *PICTURE_CHANNELS} or len(channels) == 2):
            raise GanvasError(f"images in {items.title} have {min(channels - {0})} to {max(channels)} channels: give one kind")
        return ImageProperties(picture_sizes, max(channels), 16 if is_deep else 8)

    def _count_channels(self, item: bytes | np.ndarray, picture: LazyPicture, has_colours: bool) -> int:
        """How many channels an item needs. After the first coloured item, all that could be gray count as RGB."""
        if picture.channels not in (0, 3):
            return picture.channels
        if has_colours:
            return 3
        pixels = decode_picture(item)
        return 1 if is_gray(pixels if isinstance(pixels, np.ndarray) else flatten_transparency(pixels, self.background)) else 3
