"""Large photographs in tiles, in their own resolution, from which restoration learns. Shrunk ones would be too sharp."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..configuration import config
from ..errors import GanvasError, require
from .files import Files
from .items import MIN_DATASET_SAMPLES, ItemList, fingerprint_parts, limit_items
from .names import format_count
from .tile_survey import PhotographTiles, ThreadPictures, cut_tile, survey_photographs

MAX_TILES, MAX_HELD_OUT = 20_000, 2_000  # if no limit is set: 1 GB at 128 px; what scores can use


class PhotographTile(NamedTuple):
    """A photograph's number among the items, and where its tile lies; None: the photograph as a whole."""

    photograph: int
    corner: tuple[int, int] | None  # left, upper


@config
class Tiles:
    """Photographs in a folder, a zip or another set. Large ones are cut into tiles on a grid; nothing is shrunk.

    A picture up to twice the tile's size stays whole. Where all are that small, this is the same as Files.

    size: of a tile in pixels. The medium should have the same size.
    least_detail: tiles with less are left out, because sky and blur teach nothing. It is the mean difference of neighbours,
        down plus right, in levels of 255; 0 keeps all tiles.
    share: of the photographs, held out to score against, with all their tiles. A test part takes their place.
    test: another path: photographs kept out of training, to score against.
    limit: train on at most this many tiles: random, but always the same, and from as many photographs as possible. Without it,
        20,000 of large photographs.
    """

    path: str
    size: int = 128
    least_detail: float = 4.0
    share: float = 0.05
    test: str | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        require(16 <= self.size <= 2048, "size", self.size, "from 16 to 2048 px")
        require(0 <= self.least_detail <= 255, "least_detail", self.least_detail, "from 0 to 255")
        require(0 <= self.share <= 0.9, "share", self.share, "from 0 to 0.9")

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """The tiles to train on. Raises GanvasError if fewer than two have enough detail."""
        photographs = self._files.items(suffixes)
        surveys = self._survey(photographs)
        if not has_tiles(surveys):
            return limit_items(photographs, self.limit)
        held_out = self._choose_held_out(photographs, surveys) if self._files.held_out(suffixes) is None else set[int]()
        chosen = {number: tiles for number, tiles in enumerate(surveys) if number not in held_out}
        return self._build_items(photographs, chosen, self.limit or MAX_TILES)

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList | None:
        """The tiles of the test part, or of photographs that training never sees; None if there are none."""
        photographs = self._files.held_out(suffixes)
        if photographs is not None:
            surveys = self._survey(photographs)
            chosen = dict(enumerate(surveys))
        else:
            photographs = self._files.items(suffixes)
            surveys = self._survey(photographs)
            chosen = {number: surveys[number] for number in sorted(self._choose_held_out(photographs, surveys))}
        if not has_tiles(surveys):
            return self._files.held_out(suffixes)
        return self._build_items(photographs, chosen, MAX_HELD_OUT) if chosen else None

    @property
    def _files(self) -> Files:
        return Files(path=self.path, test=self.test)

    def _survey(self, photographs: ItemList) -> Sequence[PhotographTiles]:
        return survey_photographs(photographs, self.size, self.least_detail)

    def _choose_held_out(self, photographs: ItemList, surveys: Sequence[PhotographTiles]) -> set[int]:
        """The numbers of the photographs to hold out: by their names, so that others may come and go. It may be none."""
        usable = [number for number, survey in enumerate(surveys) if survey.count_tiles()]
        count = max(1, round(self.share * len(usable))) if self.share and len(usable) > 1 else 0
        usable.sort(key=lambda number: fingerprint_parts("held out", photographs.names[number]))
        chosen = set(usable[:count])
        is_enough = sum(surveys[number].count_tiles() for number in chosen) >= MIN_DATASET_SAMPLES
        return chosen if is_enough and has_tiles(surveys) else set()

    def _build_items(self, photographs: ItemList, surveys: Mapping[int, PhotographTiles], most: int) -> ItemList:
        """At most so many tiles of some photographs. Raises GanvasError if there are fewer than two."""
        tiles = choose_tiles(surveys, most)
        if len(tiles) < MIN_DATASET_SAMPLES:
            raise GanvasError(
                f"{photographs.title} has {format_count(len(tiles), 'tile')} of {self.size} px with enough detail: give "
                f"sharper photographs, or set least_detail below {self.least_detail:g}"
            )
        pictures = ThreadPictures(photographs)

        def read_tile(index: int) -> bytes | np.ndarray:
            number, corner = tiles[index]
            return photographs[number] if corner is None else cut_tile(pictures.decode(number), corner, self.size)

        names = [
            photographs.names[number] + ("" if corner is None else f" at {corner[0]},{corner[1]}") for number, corner in tiles
        ]
        items = ItemList(
            names=names,
            read_item=read_tile,
            fingerprint=fingerprint_parts(photographs.fingerprint, "tiles", self.size, self.least_detail, tiles),
            title=f"{photographs.title}, {format_count(len(tiles), 'tile')} of {self.size} px",
            notes=(*photographs.notes, self._describe(tiles, surveys)),
        )
        return limit_items(items, most)

    def _describe(self, tiles: Sequence[PhotographTile], surveys: Mapping[int, PhotographTiles]) -> str:
        cut_count = len({tile.photograph for tile in tiles if tile.corner is not None})
        whole_count = sum(tile.corner is None for tile in tiles)
        flat_count = sum(survey.flat_count for survey in surveys.values())
        note = f"{format_count(len(tiles) - whole_count, 'tile')} of {self.size} px cut from "
        note += format_count(cut_count, "photograph")
        note += f"; {flat_count:,} flat or blurred ones left out" if flat_count else ""
        return note + (f"; {format_count(whole_count, 'picture')} taken whole" if whole_count else "")


def has_tiles(surveys: Sequence[PhotographTiles]) -> bool:
    """Whether any picture is large enough to be cut."""
    return any(not survey.is_whole for survey in surveys)


def choose_tiles(surveys: Mapping[int, PhotographTiles], most: int) -> list[PhotographTile]:
    """All tiles; or so many of each photograph, evenly spaced, that they are just `most` or more."""
    counts = [survey.count_tiles() for survey in surveys.values()]
    quota = max(counts, default=0)
    if sum(counts) > most:
        quota = next(k for k in range(1, quota + 1) if sum(min(count, k) for count in counts) >= most)
    tiles: list[PhotographTile] = []
    for number, survey in surveys.items():
        corners = choose_evenly_spaced(survey.corners, quota)
        tiles += [PhotographTile(number, None)] if survey.is_whole else [PhotographTile(number, corner) for corner in corners]
    return tiles


def choose_evenly_spaced(corners: Sequence[tuple[int, int]], most: int) -> Sequence[tuple[int, int]]:
    if len(corners) <= most:
        return corners
    return [corners[k * len(corners) // most] for k in range(most)]
