"""Fit a mixture to a table's codes by EM, and choose how many components it gets."""

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from ....errors import GanvasError, require
from .em import (
    CodedRows,
    Parameters,
    count_expected_rows,
    estimate_parameters,
    measure_likelihood,
    split_components,
    start_parameters,
)
from .mixture import RowMixture
from .scores import group_columns
from .shares import CodeRanks, ShareTree, check_codes

K = 10  # rows that a component needs
LEAST_PASSES, MAX_PASSES = 5, 40  # of EM
FOLDS = 10  # one row in so many is held out
LEAST_GAIN = 5e-3  # nats a row held out that another pass has to bring
MAX_NUMBERS = 2**24  # that all components together have: 64 MB
MAX_CELLS, LEAST_ROWS = 2_500_000, 5_000  # how large a random part to take of a very large table
FEWEST_COMPONENTS, GROWTH = 64, 4
MAX_WORK = 4 * 10**9  # multiplications a pass, about: some 2 s of a core

_last_mixture = dict[tuple[str, tuple[int, ...], int, int], RowMixture]()


def choose_mixture(codes: np.ndarray, layouts: Sequence[CodeRanks], most: int, seed: int) -> RowMixture:
    """The mixture under which rows that fitting left out are likeliest: 64 components, or four times as many, up to `most`.

    More components start as parts of the fewer ones. Very large or wide tables get no more of them than a minute allows.
    The last mixture is remembered, because a run and its score card ask for the same one.
    """
    key = hashlib.sha256(codes.tobytes()).hexdigest(), codes.shape, most, seed
    if key not in _last_mixture:
        mixture = _choose_mixture(_Fitter(codes, layouts, seed=seed), most)
        _last_mixture.clear()
        _last_mixture[key] = mixture
    return _last_mixture[key]


def _choose_mixture(fitter: "_Fitter", most: int) -> RowMixture:
    most = min(most, fitter.most_components)
    best = fitter.fit(min(FEWEST_COMPONENTS, most))
    while best.started_with * GROWTH <= most:
        larger = fitter.fit(best.started_with * GROWTH, best.parameters)
        if not larger.held_out > best.held_out:
            break
        best = larger
    return fitter.finish(best)


def fit_mixture(
    codes: np.ndarray, layouts: Sequence[CodeRanks], components: int, seed: int = 0, k: int = K, smoothing: float = 1.0
) -> RowMixture:
    """Fit a mixture to a table's codes, uint16 [N, C], until rows held out gain no more.

    Memory grows with components x (bins + scores²): some five arrays of 64 MB at most. Of a table with more than 2,500,000
    cells it takes a random part of the rows.

    Args:
        layouts: what each column's codes stand for, C of them: a table's `CodeLayout`.
        components: how many it starts with. A table's size may allow fewer.
        k: a component that fewer rows hold is removed, so that none is a copy of a row.
        smoothing: the weight of the prior of shares. Below 1, rows are nearer to the training rows, unseen rows less likely.

    Raises:
        GanvasError: codes that do not fit the layouts, fewer than 2k rows, or settings out of range.
    """
    require(components >= 1, "components", components, "1 or more")
    fitter = _Fitter(codes, layouts, seed, k, smoothing)
    return fitter.finish(fitter.fit(min(components, fitter.most_components)))


class _Fit(NamedTuple):
    parameters: Parameters
    held_out: float  # mean log-likelihood of the rows held out, in nats
    started_with: int  # components; those of too few rows are gone


class _Fitter:
    """The rows and the prior that all fits share."""

    def __init__(self, codes: np.ndarray, layouts: Sequence[CodeRanks], seed: int, k: int = K, smoothing: float = 1.0) -> None:
        require(k >= 1, "k", k, "1 or more")
        require(smoothing > 0, "smoothing", smoothing, "above 0")
        check_codes(codes, [len(layout.weights) for layout in layouts])
        if len(codes) < 2 * k:
            raise GanvasError(f"a mixture needs at least {2 * k} rows, got {len(codes)}: give more rows, or a smaller k")
        self.tree, self.k, self.seed = ShareTree(layouts, smoothing), k, seed
        rng = np.random.default_rng(seed)
        codes = codes[rng.permutation(len(codes))[: max(LEAST_ROWS, MAX_CELLS // codes.shape[1])]]
        self.blocks = group_columns(codes, layouts, [column.is_gaussian for column in self.tree.columns])
        rows = CodedRows(torch.from_numpy(self.tree.find_bins(codes)), self.blocks.draw_scores(codes, rng))
        is_held_out = torch.arange(len(codes)) % min(FOLDS, len(codes)) == 0
        self.rows, self.held_out_rows = rows.select(~is_held_out), rows.select(is_held_out)
        squares = rows.scores[0].numel() * rows.scores.shape[2]
        work = len(codes) * (codes.shape[1] + 2 * squares)
        self.most_components = max(1, min(len(codes) // (2 * k), MAX_NUMBERS // (self.tree.size + squares), MAX_WORK // work))

    def fit(self, components: int, parent: Parameters | None = None) -> _Fit:
        """EM from random rows, or from parts of other components. The best pass counts."""
        generator = torch.Generator().manual_seed(self.seed)
        if parent is None:
            parameters = start_parameters(self.rows, self.tree, components, generator)
        else:
            parameters = split_components(self.rows, self.tree, parent, components, generator)
        best, last_score = _Fit(parameters, -math.inf, components), -math.inf
        for number in range(1, MAX_PASSES + 1):
            parameters = estimate_parameters(self.tree, count_expected_rows(self.rows, parameters), self.k)
            score = measure_likelihood(self.held_out_rows, parameters)
            if score > best.held_out:
                best = _Fit(parameters, score, components)
            if number >= LEAST_PASSES and score < last_score + LEAST_GAIN:
                break
            last_score = score
        return best

    def finish(self, fit: _Fit) -> RowMixture:
        log_weights, log_shares, gaussians, _ = fit.parameters
        return RowMixture(self.tree, self.blocks, log_weights, log_shares, gaussians, fit.held_out)
