"""Fit mixtures within a time: find how many components predict unseen rows best, then average several such mixtures."""

from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch

from ....errors import GanvasError, require
from .em import Parameters, count_expected_rows, estimate_parameters, measure_likelihood, start_parameters
from .mixture import ProductMixture
from .shares import CodeRanks, ShareTree, check_codes

K = 10  # rows that a component needs
FIRST_COMPONENTS = 64
LEAST_PASSES, MAX_PASSES = 5, 30  # of EM
FOLDS = 10  # one row in so many is held out
LEAST_GAIN = 5e-3  # nats a row held out that another pass has to bring
MAX_NUMBERS = 2**24  # bins x components of one mixture: 64 MB
MAX_MEMBERS = 16  # mixtures to average
CELLS_PER_SECOND, LEAST_ROWS = 500_000, 5_000  # how large a random part to take of a very large table


class _Trial(NamedTuple):
    parameters: Parameters
    held_out: float  # mean log-likelihood of bins of its rows held out, in nats
    seconds: float
    components: int  # at its start


class _Trainer:
    """The rows, the prior and the time that all trials share."""

    def __init__(self, codes: np.ndarray, tree: ShareTree, k: int, seed: int, seconds: float) -> None:
        self.end = perf_counter() + seconds
        self.tree, self.k, self.seed = tree, k, seed
        self.rng = np.random.default_rng(seed)
        most_rows = max(LEAST_ROWS, int(CELLS_PER_SECOND * seconds) // codes.shape[1])
        rows = self.rng.permutation(len(codes))[:most_rows]
        self.bins = torch.from_numpy(tree.find_bins(codes[rows]))
        self.most_components = max(1, min(len(rows) // (2 * k), MAX_NUMBERS // tree.size))

    def has_time(self, seconds: float = 0.0) -> bool:
        return perf_counter() + seconds < self.end

    def try_components(self, components: int, member: int = 0) -> _Trial:
        """EM from random rows, until it gains no more on the rows held out or the time is over. The best pass counts."""
        start, folds = perf_counter(), min(FOLDS, len(self.bins))
        is_held_out = torch.arange(len(self.bins)) % folds == member % folds
        rows, held_out = self.bins[~is_held_out], self.bins[is_held_out]
        generator = torch.Generator().manual_seed(self.seed * MAX_MEMBERS + member)
        best = parameters = start_parameters(rows, self.tree, components, generator)
        score = -float("inf")
        for number in range(1, MAX_PASSES + 1):
            parameters = estimate_parameters(self.tree, count_expected_rows(rows, parameters), self.k)
            last_score, new_score = score, measure_likelihood(held_out, parameters)
            if new_score > score:
                best, score = parameters, new_score
            has_converged = number >= LEAST_PASSES and new_score < last_score + LEAST_GAIN
            if has_converged or not self.has_time():
                break
        return _Trial(best, score, perf_counter() - start, components)

    def search_components(self) -> _Trial:
        """Twice as many components, as long as rows held out gain by it and the time lasts."""
        best = self.try_components(min(FIRST_COMPONENTS, self.most_components))
        while 2 * best.components <= self.most_components and self.has_time(best.seconds):
            trial = self.try_components(2 * best.components)
            if trial.held_out < best.held_out:
                break
            best = trial
        return best

    def add_members(self, first: _Trial) -> list[_Trial]:
        """More mixtures like the first, from other random rows and with other rows held out, while the time lasts."""
        trials = [first]
        while len(trials) < MAX_MEMBERS and self.has_time(1.2 * first.seconds):
            trials.append(self.try_components(first.components, len(trials)))
        return trials


def fit_mixture(
    codes: np.ndarray,
    layouts: Sequence[CodeRanks],
    components: int | None = None,
    seconds: float = 5.0,
    seed: int = 0,
    k: int = K,
    smoothing: float = 1.0,
) -> ProductMixture:
    """Fit a mixture to a table's codes, uint16 [N, C].

    Without `components`, it looks for their number by the likelihood of rows held out. In the time that is left it fits
    more mixtures and averages them, which predicts unseen rows better than any one of them.

    Memory grows with bins x components: some five arrays of 4 bytes each, of 64 MB at most, and one such array for each
    mixture of the average. Of a table with more than `seconds` x 500,000 cells it takes a random part of the rows.

    Args:
        layouts: what each column's codes stand for, C of them: a table's `CodeLayout`.
        components: how many the one mixture starts with. A table's size may allow fewer.
        seconds: the time to spend, more or less; at least one pass is made.
        k: a component that fewer rows hold is removed, so that none is a copy of a row.
        smoothing: the weight of the prior. Below 1, rows are nearer to the training rows, and unseen rows less likely.

    Raises:
        GanvasError: codes that do not fit the layouts, fewer than 2k rows, or settings out of range.
    """
    require(components is None or components >= 1, "components", components, "1 or more")
    require(seconds > 0, "seconds", seconds, "above 0")
    require(k >= 1, "k", k, "1 or more")
    require(smoothing > 0, "smoothing", smoothing, "above 0")
    check_codes(codes, [len(layout.weights) for layout in layouts])
    if len(codes) < 2 * k:
        raise GanvasError(f"a mixture needs at least {2 * k} rows, got {len(codes)}: give more rows, or a smaller k")
    trainer = _Trainer(codes, ShareTree(layouts, smoothing), k, seed, seconds)
    if components is not None:
        return _join(trainer.tree, [trainer.try_components(min(components, trainer.most_components))])
    return _join(trainer.tree, trainer.add_members(trainer.search_components()))


def _join(tree: ShareTree, trials: list[_Trial]) -> ProductMixture:
    """The average of mixtures."""
    log_weights = torch.cat([trial.parameters.log_weights for trial in trials]) - float(np.log(len(trials)))
    log_shares = torch.cat([trial.parameters.log_shares for trial in trials], 1)
    return ProductMixture(tree, log_weights, log_shares, float(np.mean([trial.held_out for trial in trials])))
