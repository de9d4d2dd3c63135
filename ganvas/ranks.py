"""How well a score tells two groups apart: the area under the ROC curve, and how sure it is."""

import math

import numpy as np

from .errors import GanvasError

Z = 1.959964  # of the normal distribution: an interval of 95%


def measure_auc(higher: np.ndarray, lower: np.ndarray) -> float:
    """The share of pairs in which the score from `higher` [N] is above that from `lower` [M]; equal scores count half.

    0.5: the score says nothing. The area under the ROC curve (Mann and Whitney 1947).

    Raises:
        GanvasError: no scores, or scores that are no numbers.
    """
    return float(_place(higher, lower).mean())


def measure_auc_with_error(higher: np.ndarray, lower: np.ndarray) -> tuple[float, float]:
    """(The AUC, its standard error) by DeLong, DeLong, Clarke-Pearson 1988. Each group needs two scores or more.

    The error is never below that of half a pair in doubt: perfect separation of few scores proves little.
    """
    of_higher, of_lower = _place(higher, lower), 1 - _place(lower, higher)
    if min(len(of_higher), len(of_lower)) < 2:
        raise GanvasError("an error of the AUC needs two scores or more on each side: give more rows")
    error = math.sqrt(of_higher.var(ddof=1) / len(of_higher) + of_lower.var(ddof=1) / len(of_lower))
    return float(of_higher.mean()), max(error, 0.5 / min(len(of_higher), len(of_lower)))


def _place(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each of `scores` [N], the share of `others` below it, ties by half -> float64 [N], 0 to 1."""
    if scores.ndim != 1 or others.ndim != 1 or not len(scores) or not len(others):
        raise GanvasError(f"scores of two groups must be two lists, got shapes {scores.shape} and {others.shape}")
    if np.isnan(scores).any() or np.isnan(others).any():
        raise GanvasError("scores of two groups hold NaN: look where the scores come from")
    ordered = np.sort(others)
    below, not_above = np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
    return (below + not_above) / (2 * len(others))
