"""A network that translates pictures of any size: padded, whole or in tiles, cropped."""

import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from math import sqrt
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..errors import GanvasError
from ..nets.translation import SourceGenerator
from ..system.device import get_device
from ..system.memory import measure_free_bytes
from .instance_statistics import InstanceStatistics
from .live_memory import measure_working_bytes
from .mirroring import fit_side
from .results import ResultWriter, convert_to_gray, is_nearly_gray
from .tiles import Span, Tile
from .tiling import MemoryBudget, Tiling, TilingSettings, choose_tiling, read_reach
from .windows import ALPHA_CHANNELS, SourcePicture, WindowReader

SOURCE, MASK = "source", "mask"
SMALL_PIXELS = 256**2  # pictures up to this size go through whole, without an estimate
PROBE_SIDE = 128  # px of the picture that memory is measured on
MIN_TILES_FOR_BAR = 4

Render = Callable[[Mapping[str, Tensor]], Tensor]  # a generator's inputs -> x


class Translator:
    """Translates pictures of any size.

    Args:
        G: the generator; what it states decides about padding and tiles.
        render: how it makes samples; by default its forward pass.
        source_channels, channels: of the sources and of the results.
        background: the gray, 0 to 255, that transparent places show to networks without alpha.
        inputs: beside source and mask, such as {"label": [1]}.
        takes_labels: whether sources are maps of labels, whose pixels are numbers of classes.
    """

    def __init__(
        self,
        G: SourceGenerator,
        source_channels: int,
        channels: int,
        tiling: TilingSettings = TilingSettings(),  # noqa: B008
        background: int = 255,
        inputs: Mapping[str, Tensor] | None = None,
        render: Render | None = None,
        takes_labels: bool = False,
    ) -> None:
        self.takes_labels = takes_labels
        self.G, self.source_channels, self.channels, self.background = G, source_channels, channels, background
        self.settings, self.inputs = tiling, dict(inputs or {})
        self.render: Render = render or (lambda inputs: G(**inputs))
        self.reach, self.device, self.statistics = read_reach(G), get_device(G), InstanceStatistics(G)

    @property
    def takes_hole(self) -> bool:
        """Whether it fills a hole, which a mask shows."""
        return MASK in self.G.conditions

    def translate(self, pixels: np.ndarray, hole: np.ndarray | None = None) -> np.ndarray:
        """A picture uint8 or uint16 [H, W, C] -> [scale·H, scale·W, C'] of the same depth; a map of labels is uint8 [H, W, 1].

        Alpha stays as it is. Gray pictures stay gray, unless the network gives them colours. With a hole, bool [H, W], known
        pixels stay as they are.

        Raises:
            GanvasError: other channels than the run's, no hole where one is needed, or too little memory.
        """
        picture = SourcePicture(pixels, hole, self._classes)
        self._check_hole(picture)
        result = self._translate_picture(picture)
        is_gray = pixels.shape[2] == 1 and not self.takes_labels
        if is_gray and result.shape[2] == 3 and self.source_channels == 3 and is_nearly_gray(result):
            return convert_to_gray(result)
        return result

    def describe_tiling(self, height: int, width: int) -> str | None:
        """What a user should know of how such a picture goes through; None if the result is that of the whole picture."""
        tiling = self.plan_tiling(height, width)
        if tiling.is_whole or not self.reach.has_instance_norm or self.settings.is_exact:
            return None
        factor = self._choose_copy_factor(height, width, tiling)
        copy = "the whole picture" if factor == 1 else f"a copy at {factor:.0%} of its size"
        difference = "" if factor == 1 else " The result differs a little from the exact one, which --exact makes in more time."
        return f"{len(tiling.tiles)} tiles; their instance norms take the statistics of {copy}.{difference}"

    def plan_tiling(self, height: int, width: int) -> Tiling:
        """The tiles for a picture of this size."""
        height, width = self._fit(height), self._fit(width)
        if self.settings.tile == "auto" and height * width <= SMALL_PIXELS:
            return choose_tiling(self.reach, height, width, "off", MemoryBudget(0, 1))
        return choose_tiling(self.reach, height, width, self.settings.tile, self._measure_budget())

    def _translate_picture(self, picture: SourcePicture) -> np.ndarray:
        tiling = self.plan_tiling(picture.height, picture.width)
        reader, writer = self._build_reader(picture), self._build_writer(picture)
        bar = self._open_bar(tiling)

        def render_tile(tile: Tile) -> Tensor:
            bar.update()
            return self._render_window(reader, tile.window_rows, tile.window_columns)

        with torch.inference_mode(), bar:
            if tiling.is_whole or not self.reach.has_instance_norm:
                for tile in tiling.tiles:
                    writer.write(tile, render_tile(tile))
                return writer.array
            if self.settings.is_exact:
                self.statistics.collect_from_tiles(tiling.tiles, render_tile)
            else:
                self._collect_from_copy(picture, tiling)
            with self.statistics.share():
                for tile in tiling.tiles:
                    self.statistics.start_tile()
                    writer.write(tile, render_tile(tile))
        return writer.array

    def _open_bar(self, tiling: Tiling) -> "tqdm[NoReturn]":
        needs_passes = self.settings.is_exact and not tiling.is_whole and self.reach.has_instance_norm
        passes = 1 + (len(self.statistics.norms) if needs_passes else 0)
        is_short = len(tiling.tiles) < MIN_TILES_FOR_BAR
        is_hidden = not self.settings.shows_progress or is_short or not sys.stderr.isatty()
        return tqdm(desc="tiles", total=len(tiling.tiles) * passes, leave=False, disable=is_hidden)

    def _collect_from_copy(self, picture: SourcePicture, tiling: Tiling) -> None:
        """The statistics of the largest copy that fits the memory."""
        factor = self._choose_copy_factor(picture.height, picture.width, tiling)
        if factor < 1:
            picture = picture.resize(*(max(1, int(factor * side)) for side in (picture.width, picture.height)))
        rows, columns = Span(0, self._fit(picture.height)), Span(0, self._fit(picture.width))
        reader = self._build_reader(picture)
        self.statistics.collect_from_copy(lambda: self._render_window(reader, rows, columns))

    def _choose_copy_factor(self, height: int, width: int, tiling: Tiling) -> float:
        return min(1.0, sqrt(tiling.copy_pixels / (self._fit(height) * self._fit(width))))

    def _build_reader(self, picture: SourcePicture) -> WindowReader:
        return WindowReader(picture, self.source_channels, self.background, self.device)

    def _build_writer(self, picture: SourcePicture) -> ResultWriter:
        pixels = picture.pixels
        keeps_alpha = pixels.shape[2] == ALPHA_CHANNELS and self.channels in (1, 3) and picture.hole is None
        alpha = pixels[..., 3:] if keeps_alpha else None
        background = None if self.source_channels == ALPHA_CHANNELS else self.background
        size = (picture.height, picture.width)
        return ResultWriter(size, self.channels, pixels.dtype, self.G.scale, alpha, background)

    def _render_window(self, reader: WindowReader, rows: Span, columns: Span) -> Tensor:
        """A window through the network: [1, C', scale·h, scale·w]."""
        source = reader.read_source(rows, columns)
        inputs: dict[str, Tensor] = {**self.inputs, SOURCE: source}
        if not self.takes_hole:
            return self.render(inputs)
        inputs[MASK] = hole = reader.read_hole(rows, columns)
        x = self.render(inputs)
        return keep_known_pixels(x, source, hole)

    def _check_hole(self, picture: SourcePicture) -> None:
        if self.takes_hole and picture.hole is None:
            raise GanvasError("has no hole to fill: give a mask, with --mask, or a picture that is transparent there")
        if picture.hole is not None and not self.takes_hole:
            raise GanvasError("comes with a mask, but this run fills no holes: leave out --mask")
        if picture.hole is not None and picture.hole.shape != picture.pixels.shape[:2]:
            (rows, columns), (height, width) = picture.hole.shape, picture.pixels.shape[:2]
            raise GanvasError(f"is {width} x {height} px, but its mask is {columns} x {rows}: both need the same size")

    @property
    def _classes(self) -> int:
        return self.source_channels if self.takes_labels else 0

    def _fit(self, side: int) -> int:
        return fit_side(side, self.G.multiple, self.G.smallest_side)

    def _measure_budget(self) -> MemoryBudget:
        return MemoryBudget(measure_free_bytes(self.device), self._bytes_per_pixel)

    @cached_property
    def _bytes_per_pixel(self) -> float:
        """Measured on a small picture."""
        side = self._fit(PROBE_SIDE)
        channels = 1 if self.takes_labels else self.source_channels
        picture = SourcePicture(np.zeros((side, side, channels), np.uint8), np.zeros((side, side), bool), self._classes)
        reader = self._build_reader(picture)

        def render_probe() -> None:
            with torch.inference_mode():
                self._render_window(reader, Span(0, side), Span(0, side))

        return max(1.0, measure_working_bytes(render_probe, self.device) / side**2)


def keep_known_pixels(x: Tensor, source: Tensor, hole: Tensor) -> Tensor:
    """x [N, C, H, W] in the hole, where [N, 1, H, W] is above 0, and the source elsewhere, bit for bit."""
    return torch.where(hole > 0, x, source) if x.shape == source.shape else x
