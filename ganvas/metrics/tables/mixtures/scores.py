"""The ranks that are Gaussian within a component: as normal scores, in blocks of columns that hang together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ....normal_scores import read_ranks, score_ranks
from .shares import CodeRanks

MAX_BLOCK = 32  # columns whose covariances are estimated together
SAMPLE_ROWS = 5000  # by which columns are grouped


class ScoreBlocks(NamedTuple):
    """C columns, some of them in G blocks of b places."""

    layouts: Sequence[CodeRanks]  # of all C columns
    columns: np.ndarray  # int64 [G, b]: the column at each place; C: nothing lies there

    def draw_scores(self, codes: np.ndarray, rng: np.random.Generator) -> Tensor:
        """Codes [N, C] -> float32 [N, G, b]: a random place within each code's interval.

        A cell without a rank, or a place without a column, gets noise, which has the scores' distribution and says nothing.
        """
        scores = rng.standard_normal((len(codes), *self.columns.shape), dtype=np.float32)
        for (g, place), column in np.ndenumerate(self.columns):
            if column < len(self.layouts):
                low, high = self.layouts[column].low[codes[:, column]], self.layouts[column].high[codes[:, column]]
                ranks = low + (high - low) * rng.random(len(codes))
                found = score_ranks(torch.from_numpy(ranks)).numpy()
                scores[:, g, place] = np.where(np.isnan(ranks), scores[:, g, place], found)
        return torch.from_numpy(scores)

    def find_codes(self, scores: Tensor, column: int) -> np.ndarray:
        """Normal scores [N] of a column as its codes, int64 [N]."""
        layout = self.layouts[column]
        ranked_codes = np.flatnonzero(~np.isnan(layout.low))
        ranks = read_ranks(scores.double()).numpy()
        return ranked_codes[np.searchsorted(layout.high[ranked_codes][:-1], ranks, "right")]


def group_columns(codes: np.ndarray, layouts: Sequence[CodeRanks], are_gaussian: Sequence[bool]) -> ScoreBlocks:
    """Blocks for the columns that are Gaussian: each takes the columns that correlate most with its first one."""
    columns = np.flatnonzero(are_gaussian)
    size = min(MAX_BLOCK, len(columns))
    blocks = np.full((-(-len(columns) // size) if size else 0, size), len(layouts))
    flat = ScoreBlocks(layouts, columns[None])
    sample = flat.draw_scores(codes[:SAMPLE_ROWS], np.random.default_rng(0))[:, 0].double().numpy()
    strengths = np.abs(np.atleast_2d(np.corrcoef(sample.T))) if len(columns) > size else np.ones((len(columns), len(columns)))
    remaining = np.ones(len(columns), bool)
    for block in blocks:
        first = int(remaining.argmax())
        near = np.argsort(np.where(remaining, -strengths[first], np.inf), kind="stable")[: min(size, remaining.sum())]
        block[: len(near)] = columns[np.sort(near)]
        remaining[near] = False
    return ScoreBlocks(layouts, blocks)
