"""Fill the gaps of rows that follow each other in time, window by window."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core import seeded_generator
from ..media import SeriesCodec
from .windows import WindowFiller

WIDEST_GAP = 0.75  # of a window: a wider gap is filled by several windows, from its start on


@dataclass(frozen=True)
class SeriesRuns:
    """Runs of rows that follow each other in time, and the series that each belongs to."""

    starts: np.ndarray  # int64 [S]
    ends: np.ndarray  # int64 [S]
    series: np.ndarray  # int64 [S]


def fill_rows(filler: WindowFiller, codes: Tensor, is_known: Tensor, runs: SeriesRuns, seed: int = 0) -> Tensor:
    """Codes of rows int64 [R, C] with those filled in that are not known, bool [R, C].

    In each round every run gives the window around its first gap. What is filled is known to the windows after it.
    """
    codes, is_known, codec = codes.clone(), is_known.clone(), filler.codec
    latest_round = 0
    while True:
        starts = [find_gap_window(is_known[a:b].all(1), codec.window) for a, b in zip(runs.starts, runs.ends, strict=True)]
        active = [k for k, start in enumerate(starts) if start is not None]
        if not active:
            return codes
        if codec.is_static.any():  # the first run with a gap says what the statics of its series are
            active = [k for j, k in enumerate(active) if not j or runs.series[k] != runs.series[active[j - 1]]]
        firsts = torch.tensor([[runs.starts[k] + (starts[k] or 0)] for k in active])
        rows = firsts + torch.arange(codec.window)
        is_row = rows < torch.from_numpy(runs.ends)[active][:, None]  # a short run ends before its window does
        rows = torch.where(is_row, rows, firsts)
        known = is_known[rows] & (is_row[..., None] | codec.is_static)
        filled = filler.fill(codes[rows] * known, known, seeded_generator(seed, "complete", latest_round))
        codes[rows[is_row]], is_known[rows[is_row]] = filled[is_row], True
        if codec.is_static.any():
            for k, first in zip(active, firsts[:, 0].tolist(), strict=True):
                _spread_statics(codec, codes, is_known, runs, int(runs.series[k]), first)
        latest_round += 1


def _spread_statics(codec: SeriesCodec, codes: Tensor, is_known: Tensor, runs: SeriesRuns, series: int, row: int) -> None:
    """Statics that were filled in a row are from now on known in all rows of its series."""
    for start, end in zip(runs.starts[runs.series == series], runs.ends[runs.series == series], strict=True):
        is_open = ~is_known[start:end] & codec.is_static
        codes[start:end] = torch.where(is_open, codes[row], codes[start:end])
        is_known[start:end] |= codec.is_static


def find_gap_window(is_complete: Tensor, window: int) -> int | None:
    """The row that the next window starts with, by which rows of a run are complete, bool [L]; None if all are.

    A gap lies in the middle of its window. One that is too wide is filled up to its window's end, after half a window of
    what is known before it.
    """
    gaps = torch.nonzero(~is_complete)[:, 0]
    if not len(gaps):
        return None
    first, last_start = int(gaps[0]), max(0, len(is_complete) - window)
    after = torch.nonzero(is_complete[first:])[:, 0]
    width = int(after[0]) if len(after) else len(is_complete) - first
    before = (window - width) // 2 if width <= WIDEST_GAP * window else window // 2
    return min(max(0, first - before), last_start)
