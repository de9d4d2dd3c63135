"""Statistics of instance norms that all tiles of a picture share, so that tiles fit together.

An instance norm divides by the deviation of the whole picture. Each tile by itself would have its own, and seams would show.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..nets.layers.instance_norm import InstanceNorm
from .tiles import Span, Tile

EPSILON = 1e-5  # of torch's instance norm, beside the variance


class UnknownStatisticsError(Exception):
    """A network reached a norm whose statistics are still to be collected."""


class ChannelMoments(NamedTuple):
    """Of each channel: the number of places, their mean, and the sum of their squared differences from it; [1, C, 1, 1]."""

    places: int
    mean: Tensor
    squares: Tensor

    def join(self, other: "ChannelMoments") -> "ChannelMoments":
        """Of both together. Chan et al. 1979: it does not cancel as sums of squares do."""
        places, shift = self.places + other.places, other.mean - self.mean
        squares = self.squares + other.squares + shift.square() * (self.places * other.places / places)
        return ChannelMoments(places, self.mean + shift * (other.places / places), squares)


def measure_channel_moments(x: Tensor) -> ChannelMoments:
    """Of x [1, C, h, w]; joined in double precision where the device has it."""
    wide = torch.float32 if x.device.type == "mps" else torch.float64
    variance, mean = torch.var_mean(x.float(), (2, 3), correction=0, keepdim=True)
    places = x.shape[2] * x.shape[3]
    return ChannelMoments(places, mean.to(wide), variance.to(wide) * places)


class NormStatistics(NamedTuple):
    """What a norm subtracts, and what it multiplies by: [1, C, 1, 1]."""

    mean: Tensor
    inverse_deviation: Tensor


class InstanceStatistics:
    """The statistics of a network's instance norms, in the order in which a picture meets them."""

    def __init__(self, network: nn.Module) -> None:
        self.norms = [layer for layer in network.modules() if isinstance(layer, InstanceNorm)]
        self.by_order: list[NormStatistics] = []
        self.moments: ChannelMoments | None = None
        self.next_order, self.tile = 0, None

    def clear(self) -> None:
        """Forget the last picture's."""
        self.by_order.clear()

    @contextmanager
    def share(self) -> Generator[None]:
        """Within the context, the norms use these statistics."""
        for norm in self.norms:
            norm.forward = partial(self._normalise, norm)
        try:
            yield
        finally:
            for norm in self.norms:
                del norm.forward

    def collect_from_copy(self, run: Callable[[], object]) -> None:
        """Those of one whole picture; `run` passes it through the network."""
        self.clear()
        self.next_order, self.tile = 0, None
        with self.share():
            run()

    def collect_from_tiles(self, tiles: Iterable[Tile], run: Callable[[Tile], object]) -> None:
        """Those of all tiles together: a pass of the tiles for each norm, because it sees the results of those before."""
        self.clear()
        tiles = list(tiles)
        with self.share():
            while not self._try_tile(tiles[0], run):
                for tile in tiles[1:]:
                    self._try_tile(tile, run)
                self._settle()

    def start_tile(self) -> None:
        """Say that a picture or tile begins."""
        self.next_order = 0

    def _try_tile(self, tile: Tile, run: Callable[[Tile], object]) -> bool:
        """Whether the tile passes; if not, the moments of its own places at the first unknown norm are added."""
        self.next_order, self.tile = 0, tile
        try:
            run(tile)
        except UnknownStatisticsError:
            return False
        finally:
            self.tile = None
        return True

    def _settle(self) -> None:
        assert self.moments is not None
        self._append(self.moments)
        self.moments = None

    def _append(self, moments: ChannelMoments) -> None:
        variance = moments.squares / moments.places
        self.by_order.append(NormStatistics(moments.mean.float(), (variance + EPSILON).rsqrt().float()))

    def _normalise(self, norm: InstanceNorm, x: Tensor) -> Tensor:
        order, self.next_order = self.next_order, self.next_order + 1
        if order >= len(self.by_order):
            if self.tile is None:
                self._append(measure_channel_moments(x))
            else:
                moments = measure_channel_moments(crop_to_tile(x, self.tile))
                self.moments = moments if self.moments is None else self.moments.join(moments)
                raise UnknownStatisticsError
        mean, gain = self.by_order[order]
        if norm.weight is not None:
            gain = gain * norm.weight[:, None, None]
        shift = -mean * gain if norm.bias is None else norm.bias[:, None, None] - mean * gain
        return torch.addcmul(shift.to(x.dtype), x, gain.to(x.dtype))


def crop_to_tile(x: Tensor, tile: Tile) -> Tensor:
    """The tile's own places of a window's features [1, C, h, w], whatever their size is."""
    rows = scale_span(tile.rows, tile.window_rows, x.shape[2])
    columns = scale_span(tile.columns, tile.window_columns, x.shape[3])
    return x[:, :, rows.start : rows.stop, columns.start : columns.stop]


def scale_span(part: Span, window: Span, length: int) -> Span:
    """Where a part of a window lies in features of this length."""
    start, stop = ((place - window.start) * length for place in part)
    assert start % window.length == 0 == stop % window.length, "features of a size that tiles do not share"
    return Span(start // window.length, stop // window.length)
