"""Tiles: parts of a picture that go through a network one after another, each in a window that shows all that it sees."""

from typing import NamedTuple


class Span(NamedTuple):
    """Pixels `start` to `stop` of a side, in pixels of the source; `stop` is not part of it."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


class Tile(NamedTuple):
    """A part of the frame, and the window around it that the network is given."""

    rows: Span
    columns: Span
    window_rows: Span
    window_columns: Span


def list_spans(side: int, tile_side: int, margin: int, smallest: int) -> list[tuple[Span, Span]]:
    """The (part, window) pairs that make up a side. Parts do not overlap, and windows have at least `smallest` pixels."""
    pairs: list[tuple[Span, Span]] = []
    for start in range(0, side, tile_side):
        part = Span(start, min(side, start + tile_side))
        window_stop = min(side, max(part.stop + margin, smallest))
        pairs.append((part, Span(max(0, min(start - margin, window_stop - smallest)), window_stop)))
    return pairs


def list_tiles(height: int, width: int, tile_side: int | None, margin: int, smallest: int) -> list[Tile]:
    """The tiles of a frame, row by row; without a `tile_side`, the frame is one tile.

    All numbers are multiples of the network's `multiple`. With margins of at least its reach, the tiles' results make up that
    of the whole frame.
    """
    if tile_side is None:
        rows, columns = Span(0, height), Span(0, width)
        return [Tile(rows, columns, rows, columns)]
    return [
        Tile(rows, columns, window_rows, window_columns)
        for rows, window_rows in list_spans(height, tile_side, margin, smallest)
        for columns, window_columns in list_spans(width, tile_side, margin, smallest)
    ]
