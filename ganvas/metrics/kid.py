"""Kernel distance: unbiased squared MMD with a cubic kernel, over subsets. Bińkowski et al. 2018, eq. 4 (there: KID)."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..config import config
from ..core import Features
from ..errors import GanvasError
from .check import check_feature_pair


@config
class KID:
    """Mean "kid" over random subsets and its spread "kid_std" (ddof 0); around 0, negative at times, for equal sets.

    Subsets are drawn without replacement and shrink to the number of samples where there are fewer; all subsets are
    then the same and the spread is 0.
    """

    subsets: int = 100
    subset_size: int = 1000
    seed: int = 0

    @property
    def samples(self) -> None:
        return None

    @property
    def against(self) -> Literal["train"]:
        return "train"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"kid": True, "kid_std": True}

    def describe_doubt(self, real: Features, samples: int) -> str:
        """Where a subset holds all samples, all subsets are the same."""
        if max(len(real.features), samples) > self.subset_size or len(real.features) != samples:
            return ""
        return f"kid_std: each subset holds all {samples:,} samples, so there is no spread"

    def __call__(self, real: Features, fake: Features) -> dict[str, float]:
        if self.subsets < 1 or self.subset_size < 2:
            raise GanvasError(f"kid: needs 1 subset of 2 samples or more, got {self.subsets} of {self.subset_size}")
        x, y = check_feature_pair(real.features, fake.features)
        size = min(self.subset_size, len(x), len(y))
        rng = np.random.default_rng(self.seed)
        values = [
            kernel_distance(
                rng.choice(x, size, replace=False, shuffle=False), rng.choice(y, size, replace=False, shuffle=False)
            )
            for _ in range(self.subsets)
        ]
        return {"kid": float(np.mean(values)), "kid_std": float(np.std(values))}


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD of x [N, D] and y [M, D], N and M at least 2."""
    n, m = len(x), len(y)
    xx, yy, xy = _cubic_kernel(x, x), _cubic_kernel(y, y), _cubic_kernel(x, y)
    within_sets = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within_sets - 2 * xy.mean())


def _cubic_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    k = x @ y.T / x.shape[1] + 1
    return k * k * k  # k ** 3 calls pow for every element, 35 times slower
