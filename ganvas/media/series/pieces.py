"""Finer codes for numbers: an interval of ranks is cut into pieces, so that a step within it is not lost.

A table's interval holds k rows or more, and one random place in it is as good as another. In a series, the value of the
next step lies near: places drawn anew for each step would be noise between steps. Pieces keep the value's own place. Their
edges follow from the interval's ends alone, so the codec still knows nobody's value.
"""

from dataclasses import replace

import numpy as np

from ..table import DateColumn, NumberColumn
from ..table.columns import ColumnCodec


def cut_intervals(column: ColumnCodec, most: int) -> ColumnCodec:
    """The column with each interval of numbers in up to `most` pieces; others are unchanged."""
    if isinstance(column, DateColumn):
        return replace(column, number=_cut_numbers(column.number, most))
    return _cut_numbers(column, most) if isinstance(column, NumberColumn) else column


def _cut_numbers(column: NumberColumn, most: int) -> NumberColumn:
    counts = count_pieces(column, most)
    if not len(counts) or counts.max() == 1:
        return column
    low, high = np.array([column.lowest, *column.edges]), np.array([*column.edges, column.highest])
    ranks = np.array(column.ranks)
    edges, piece_ranks = (
        np.concatenate([np.linspace(a, b, n, endpoint=False) for a, b, n in zip(starts, ends, counts, strict=True)])
        for starts, ends in ((low, high), (ranks[:-1], ranks[1:]))
    )
    points = [p for point, n in zip(column.points, counts, strict=True) for p in [point] * int(n)]
    return replace(
        column, edges=tuple(edges[1:].tolist()), points=tuple(points), ranks=(*piece_ranks.tolist(), column.ranks[-1])
    )


def count_pieces(column: NumberColumn, most: int) -> np.ndarray:
    """Into how many pieces each interval is cut, int64 [I]: one for each value that it can be decoded to, or `most`."""
    low, high = column.ends
    if column.decimals is None:
        return np.where(high > low, most, 1)
    return np.clip(np.rint((high - low) * 10.0**column.decimals / column.step), 1, most).astype(np.int64)
