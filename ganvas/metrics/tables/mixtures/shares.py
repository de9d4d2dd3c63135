"""The shares of codes in a component: bins of ordered codes, and a prior that smooths along their order."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from ....errors import GanvasError

MAX_VALUES = 100  # of a number whose values have shares of their own; of more, the rank is Gaussian within a component
BRANCHES = 4  # of a node of the tree of bins
PRIOR_ROWS = 0.1  # the weight of the whole table's shares in a component, in rows, at the root
PRIOR_GROWTH = 3.0  # by how much that weight rises from a node to its branches: fine differences need more rows
LEAST_SHARE = 1e-9  # of a code that no row holds


class CodeRanks(Protocol):
    """What a column's K codes stand for; a table's `CodeLayout` is one."""

    @property
    def low(self) -> np.ndarray: ...  # float64 [K]: where the code's interval of ranks begins, 0 to 1; NaN: it has no rank
    @property
    def high(self) -> np.ndarray: ...  # float64 [K]: where it ends
    @property
    def weights(self) -> np.ndarray: ...  # float64 [K]: the share of the rows that hold it


class ColumnBins(NamedTuple):
    """The B bins of one column. A code without a rank has a bin of its own, and so has each value if these are few."""

    of_codes: np.ndarray  # int64 [K]: the bin of each code
    ordered: int  # so many bins have an order; these come first
    is_gaussian: bool  # all codes with a rank are one bin: where they lie in it is Gaussian


def bin_column(ranks: CodeRanks) -> ColumnBins:
    has_rank = ~np.isnan(ranks.low)
    values = int(has_rank.sum())
    ordered = 1 if values > MAX_VALUES else values
    bins = np.empty(len(has_rank), np.int64)
    bins[has_rank] = np.minimum(np.arange(values), ordered - 1)
    bins[~has_rank] = ordered + np.arange(len(has_rank) - values)
    return ColumnBins(bins, ordered, values > MAX_VALUES)


class ShareTree:
    """All columns' bins one after the other, B in all, and the Dirichlet tree prior of a component's shares of them.

    A column is a node. It branches into its bins without order and the ordered ones; these branch by BRANCHES down to
    single bins. The shares of a node's branches have a Dirichlet prior around those of the whole table. So what few rows
    say moves neighbouring bins together. Minka 1999, "The Dirichlet-tree distribution".
    """

    def __init__(self, columns: Sequence[CodeRanks], smoothing: float = 1.0) -> None:
        """smoothing: the prior's weight; 1 is PRIOR_ROWS rows at the root."""
        self.columns = [bin_column(column) for column in columns]
        sizes = [int(column.of_codes.max()) + 1 for column in self.columns]
        self.first_bins = np.cumsum([0, *sizes])
        weights = [np.maximum(column.weights, LEAST_SHARE) for column in columns]
        whole = [np.bincount(b.of_codes, w / w.sum()) for b, w in zip(self.columns, weights, strict=True)]
        paths = [_list_nodes(column.ordered, size) for column, size in zip(self.columns, sizes, strict=True)]
        levels = _number_nodes(paths)
        self._shares = [torch.from_numpy(np.bincount(nodes, np.concatenate(whole))).float() for nodes in levels]
        self._parents = [torch.from_numpy(_find_parents(*pair)) for pair in pairwise(levels)]
        self._weights = [smoothing * PRIOR_ROWS * PRIOR_GROWTH**level for level in range(len(self._parents))]

    @property
    def size(self) -> int:
        """The number of bins of all columns together."""
        return int(self.first_bins[-1])

    def find_bins(self, codes: np.ndarray) -> np.ndarray:
        """Codes [N, C] -> int32 [N, C]: their bins, numbered through all columns."""
        columns = zip(self.columns, self.first_bins, strict=False)
        return np.stack([first + column.of_codes[codes[:, c]] for c, (column, first) in enumerate(columns)], 1).astype(np.int32)

    def estimate_shares(self, counts: Tensor, emphasis: float = 1.0) -> tuple[Tensor, float]:
        """The likeliest shares given rows and prior, as logarithms, and the prior's part of the penalised likelihood.

        Args:
            counts: float32 [B, M], the expected rows in each bin for each of M components.
            emphasis: multiplies the prior's weight.
        """
        levels = [counts]
        for shares, parents in zip(self._shares[-2::-1], self._parents[::-1], strict=True):
            levels.insert(0, torch.zeros(len(shares), counts.shape[1]).index_add_(0, parents, levels[0]))
        logs, prior = torch.zeros_like(levels[0]), 0.0
        for level, (parents, weight) in enumerate(zip(self._parents, self._weights, strict=True)):
            weight = weight * emphasis
            pseudo_rows = (weight * self._shares[level + 1] / self._shares[level][parents])[:, None]
            branches = (levels[level + 1] + pseudo_rows).log_() - (levels[level] + weight).log_()[parents]
            prior += float((pseudo_rows.double() * branches.double()).sum())
            logs = logs[parents] + branches
        return logs, prior


def check_codes(codes: np.ndarray, sizes: Sequence[int]) -> None:
    """Raise GanvasError unless codes are a table [N, C], each column's below its size."""
    if codes.ndim != 2 or codes.shape[1] != len(sizes) or not sizes or codes.dtype.kind not in "ui":
        raise GanvasError(
            f"codes must be whole numbers [N, {len(sizes)}], got {codes.dtype} {[*codes.shape]}: "
            "encode the rows by the table's codec"
        )
    highest, lowest = (codes.max(0), codes.min(0)) if len(codes) else (np.zeros(len(sizes)), np.zeros(len(sizes)))
    wrong = np.flatnonzero((highest >= np.array(sizes)) | (lowest < 0))
    if len(wrong):
        c, code = wrong[0], highest[wrong[0]]
        raise GanvasError(f"column {c} holds code {code}, but has codes from 0 to {sizes[c] - 1}: use its own codec")


def _list_nodes(ordered: int, size: int) -> list[np.ndarray]:
    """The nodes of each of a column's bins, from the root down to itself: each int64 [size]."""
    nodes, top = [np.arange(size)], np.arange(ordered)
    others = np.arange(size - ordered)
    while ordered and top[-1] >= BRANCHES:
        count = int(top[-1]) + 1
        top = top * -(-count // BRANCHES) // count  # groups of nearly equal size
        nodes.append(np.concatenate([top, top[-1] + 1 + others]))
    if ordered > BRANCHES and len(others):
        nodes.append(np.concatenate([np.zeros(ordered, np.int64), 1 + others]))
    return [np.zeros(size, np.int64), *nodes[::-1]]


def _number_nodes(paths: list[list[np.ndarray]]) -> list[np.ndarray]:
    """Levels of all columns together, int64 [B] each; a shallow column repeats its bins."""
    depth = max(len(path) for path in paths)
    levels = list[np.ndarray]()
    for level in range(depth):
        nodes = [path[min(level, len(path) - 1)] for path in paths]
        firsts = np.cumsum([0, *(n.max() + 1 for n in nodes[:-1])])
        levels.append(np.concatenate([n + first for n, first in zip(nodes, firsts, strict=True)]))
    return levels


def _find_parents(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    parents = np.empty(lower.max() + 1, np.int64)
    parents[lower] = upper
    return parents
