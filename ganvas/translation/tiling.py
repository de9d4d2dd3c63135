"""Decide how a picture goes through a network: whole, or in tiles of what size."""

from math import isqrt
from typing import Literal, NamedTuple

from ..errors import GanvasError
from ..nets.translation import SourceGenerator
from .tiles import Tile, list_tiles

TileSetting = Literal["auto", "off"] | int
MAX_TILE_BYTES = 2**30  # for a tile, so that a large picture needs little memory beside its own pixels
FREE_SHARE = 0.5  # of the free memory that a picture may take
GIB = 2**30


class TilingSettings(NamedTuple):
    """How pictures go through a network.

    tile: "auto" (in tiles if they are too large for the memory), "off", or a tile's side in pixels.
    is_exact: in tiles, instance norms share the exact statistics of the whole. It takes a pass of the tiles for each norm.
    shows_progress: a bar with the time left, for pictures in tiles.
    """

    tile: TileSetting = "auto"
    is_exact: bool = False
    shows_progress: bool = False


class MemoryBudget(NamedTuple):
    """The bytes that are free, and those that a pixel of the source needs while it goes through the network."""

    free_bytes: int
    bytes_per_pixel: float

    def count_pixels(self, most_bytes: float = float("inf")) -> int:
        """How many pixels may go through at a time."""
        return int(min(FREE_SHARE * self.free_bytes, most_bytes) / self.bytes_per_pixel)


class NetworkReach(NamedTuple):
    """What decides about tiles: how far a pixel sees (None: everywhere), and whether statistics of the whole come in."""

    multiple: int
    smallest_side: int
    pixels: int | None
    has_instance_norm: bool

    @property
    def margin(self) -> int:
        """Around a tile, in pixels: the reach, up to a multiple."""
        assert self.pixels is not None
        return -(-self.pixels // self.multiple) * self.multiple


def read_reach(G: SourceGenerator) -> NetworkReach:
    """The facts that a generator states."""
    pixels = G.convolutional_reach
    return NetworkReach(G.multiple, G.smallest_side, pixels, G.reach is None and pixels is not None)


class Tiling(NamedTuple):
    """The tiles of a frame; one, if it goes through whole."""

    tiles: list[Tile]
    copy_pixels: int  # of the largest copy that statistics may come from

    @property
    def is_whole(self) -> bool:
        return len(self.tiles) == 1


def parse_tile_setting(text: str | int) -> TileSetting:
    """Raises GanvasError for anything but auto, off and a whole number above 0."""
    if text in ("auto", "off"):
        return "auto" if text == "auto" else "off"
    try:
        side = int(text)
    except ValueError:
        side = 0
    if side < 1:
        raise GanvasError(f"tiles are auto, off, or a side in pixels such as 512, got {text}: --tile auto")
    return side


def choose_tiling(reach: NetworkReach, height: int, width: int, setting: TileSetting, budget: MemoryBudget) -> Tiling:
    """The tiles of a frame, whose sides are multiples already.

    Raises:
        GanvasError: too little memory, or tiles for a network that sees the whole picture.
    """
    if setting == "off":
        return Tiling(list_tiles(height, width, None, 0, 0), 0)
    if setting == "auto":
        has_limit = reach.pixels is not None and not reach.has_instance_norm  # tiles give the same, so they may be small
        if height * width <= budget.count_pixels(MAX_TILE_BYTES if has_limit else float("inf")):
            return Tiling(list_tiles(height, width, None, 0, 0), 0)
    if reach.pixels is None:
        raise _build_untileable_error(height, width, setting, budget)
    side = (
        choose_tile_side(reach, height, width, budget) if setting == "auto" else -(-setting // reach.multiple) * reach.multiple
    )
    tiles = list_tiles(height, width, side, reach.margin, reach.smallest_side)
    window_pixels = max(tile.window_rows.length * tile.window_columns.length for tile in tiles)
    return Tiling(tiles, window_pixels if setting != "auto" else budget.count_pixels())


def choose_tile_side(reach: NetworkReach, height: int, width: int, budget: MemoryBudget) -> int:
    """The side of a tile whose window fits the memory. Small margins cost little, so no more than a gigabyte is taken for them.

    Raises:
        GanvasError: not even the smallest tile fits.
    """
    sides = [isqrt(budget.count_pixels(limit)) - 2 * reach.margin for limit in (MAX_TILE_BYTES, float("inf"))]
    side = sides[0] if sides[0] >= 2 * reach.margin else sides[1]
    side = side // reach.multiple * reach.multiple
    if side < reach.multiple:
        least = (reach.multiple + 2 * reach.margin) ** 2 * budget.bytes_per_pixel
        raise GanvasError(
            f"{width} x {height} px need {least / GIB:.1f} GiB of memory even in the smallest tiles, and "
            f"{budget.free_bytes / GIB:.1f} GiB are free: close other programs, or make the picture smaller"
        )
    return side


def _build_untileable_error(height: int, width: int, setting: TileSetting, budget: MemoryBudget) -> GanvasError:
    if setting != "auto":
        return GanvasError("this network sees the whole picture at once, so tiles would change what it makes: leave out --tile")
    return GanvasError(
        f"{width} x {height} px need about {height * width * budget.bytes_per_pixel / GIB:.1f} GiB of memory, and "
        f"{budget.free_bytes / GIB:.1f} GiB are free. This network sees the whole picture at once, so tiles cannot help: "
        "make the picture smaller, for instance with --resize"
    )
