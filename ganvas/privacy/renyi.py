"""Rényi divergences of the Poisson-subsampled Gaussian mechanism, and epsilon from them.

Two data sets are neighbours if one of them holds one row more. Mironov, Talwar, Zhang 2019 ("Rényi differential privacy of the
sampled Gaussian mechanism"), eq. 3 for whole orders; conversion by Canonne, Kamath, Steinke 2020, proposition 12.
"""

import math
from functools import cache

import numpy as np

from ..errors import require

ORDERS = np.arange(2, 513)  # of the divergence
MAX_SIGMA = 1e6
SEARCH_STEPS = 60  # halvings of the logarithm of sigma: 18 digits


def compute_divergences(q: float, sigma: float) -> np.ndarray:
    """The Rényi divergence of one step, for each of ORDERS -> float64 [511].

    Args:
        q: the probability with which each row joins a batch, in (0, 1].
        sigma: the noise's standard deviation, in units of the most that one row can change the sum. Above 0.
    """
    check_mechanism(q, sigma)
    if q == 1:
        return ORDERS / (2 * sigma**2)
    log_binomials, a, k = _tabulate_binomials()
    terms = log_binomials + (a - k) * math.log1p(-q) + k * math.log(q) + (k * k - k) / (2 * sigma**2)
    highest = terms.max(1, keepdims=True)
    sums = np.log(np.exp(terms - highest).sum(1)) + highest[:, 0]
    return np.maximum(sums, 0) / (ORDERS - 1)  # rounding leaves -1e-17 where the divergence is 0


def convert_divergences(divergences: np.ndarray, delta: float) -> float:
    """The smallest epsilon that Rényi divergences [511] guarantee with this delta, at least 0."""
    require(0 < delta < 1, "delta", delta, "between 0 and 1")
    bounds = divergences + np.log1p(-1 / ORDERS) - (math.log(delta) + np.log(ORDERS)) / (ORDERS - 1)
    return max(0.0, float(bounds.min()))


def compute_epsilon(q: float, sigma: float, steps: int, delta: float) -> float:
    """Epsilon of `steps` steps with sampling rate `q` and noise `sigma`.

    Raises:
        SettingError: a number out of range.
    """
    require(steps >= 0, "steps", steps, "0 or more")
    return convert_divergences(steps * compute_divergences(q, sigma), delta) if steps else 0.0


def find_sigma(epsilon: float, q: float, steps: int, delta: float) -> float:
    """The smallest noise with which `steps` steps cost no more than `epsilon`, by bisection.

    Raises:
        SettingError: a number out of range, or an epsilon that the accountant cannot reach with any noise.
    """
    require(epsilon > 0 and math.isfinite(epsilon), "epsilon", epsilon, "above 0")
    least = compute_epsilon(q, MAX_SIGMA, steps, delta)
    require(least <= epsilon, "epsilon", epsilon, f"{least:.3g} or more with a delta of {delta:g}")
    low, high = math.log(1e-2), math.log(MAX_SIGMA)
    for _ in range(SEARCH_STEPS):
        middle = (low + high) / 2
        if compute_epsilon(q, math.exp(middle), steps, delta) > epsilon:
            low = middle
        else:
            high = middle
    return math.exp(high)


def check_mechanism(q: float, sigma: float) -> None:
    """Raise SettingError unless there is such a mechanism."""
    require(0 < q <= 1, "q", q, "above 0 and at most 1")
    require(sigma > 0 and math.isfinite(sigma), "sigma", sigma, "above 0")


@cache
def _tabulate_binomials() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(log of "a choose k", -inf for k > a; the orders a; the k), to broadcast to [511, 513]."""
    a, k = ORDERS[:, None], np.arange(ORDERS[-1] + 1)[None]
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, ORDERS[-1] + 1)))])
    table = log_factorials[a] - log_factorials[k] - log_factorials[np.maximum(a - k, 0)]
    return np.where(k <= a, table, -np.inf), a, k
