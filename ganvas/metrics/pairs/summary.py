"""The mean of scores of pairs, and how sure it is."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from ...errors import GanvasError

RESAMPLES, SEED = 1000, 0


class PairSummary(NamedTuple):
    """A mean, and the interval that holds it in 95 of 100 cases."""

    mean: float
    low: float
    high: float


def summarise_pairs(values: Tensor | np.ndarray) -> PairSummary:
    """The mean of values [N] and its 95% interval by a bootstrap over pairs, whose draws are always the same. Efron 1979.

    Raises GanvasError for no values.
    """
    scores = np.asarray(values.cpu() if isinstance(values, Tensor) else values, np.float64)
    if scores.ndim != 1 or not len(scores):
        raise GanvasError(f"a summary needs one score for each pair, got an array of shape {list(scores.shape)}")
    rng = np.random.default_rng(SEED)
    means = [scores[rng.integers(0, len(scores), len(scores))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return PairSummary(float(scores.mean()), float(low), float(high))
