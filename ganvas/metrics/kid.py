"""Kernel distance: unbiased squared MMD with a cubic kernel, over subsets. Bińkowski et al. 2018, eq. 4 (there: KID)."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from ..errors import GanvasError
from .check import check_feature_pair


@config
class KID:
    """Mean "kid" over random subsets and its spread "kid_std" (ddof 0); near 0, sometimes negative, for equal sets.

    Subsets are drawn without replacement. They shrink to the smaller set if it has fewer samples than `subset_size`; if
    both sets have that many, all subsets are the same and the spread is 0.
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

    def describe_doubt(self, real: RealFeatures, samples: int) -> str:
        """If a subset holds all samples, all subsets are the same."""
        count = len(real.reference.features)
        if max(count, samples) > self.subset_size or count != samples:
            return ""
        return f"kid_std: each subset holds all {samples:,} samples, so there is no spread"

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        if self.subsets < 1 or self.subset_size < 2:
            raise GanvasError(f"kid: needs 1 subset of 2 samples or more, got {self.subsets} of {self.subset_size}")
        x, y = check_feature_pair(real.reference.features, fake.features)
        size = min(self.subset_size, len(x), len(y))
        rng = np.random.default_rng(self.seed)
        workspace = np.empty((2, size, size))
        values = [
            kernel_distance(
                rng.choice(x, size, replace=False, shuffle=False), rng.choice(y, size, replace=False, shuffle=False), workspace
            )
            for _ in range(self.subsets)
        ]
        return {"kid": float(np.mean(values)), "kid_std": float(np.std(values))}


def kernel_distance(x: np.ndarray, y: np.ndarray, workspace: np.ndarray | None = None) -> float:
    """Unbiased squared MMD of x [N, D] and y [M, D], N and M at least 2.

    Args:
        workspace: [2, N, N] to compute in, where N = M; a new one for each subset takes longer than the arithmetic.
    """
    n, m = len(x), len(y)
    xx_sum, xx_trace = _sum_cubic_kernel(x, x, workspace)
    yy_sum, yy_trace = _sum_cubic_kernel(y, y, workspace)
    within_sets = (xx_sum - xx_trace) / (n * (n - 1)) + (yy_sum - yy_trace) / (m * (m - 1))
    return float(within_sets - 2 * (_sum_cubic_kernel(x, y, workspace)[0] / (n * m)))


def _sum_cubic_kernel(x: np.ndarray, y: np.ndarray, workspace: np.ndarray | None) -> tuple[float, float]:
    """(Sum, trace) of (x·y / D + 1)^3 over all pairs."""
    k, cubes = np.empty((2, len(x), len(y))) if workspace is None else workspace
    np.matmul(x, y.T, out=k)
    k /= x.shape[1]
    k += 1
    np.multiply(k, k, out=cubes)  # k ** 3 calls pow for every element, 35 times slower
    cubes *= k
    return cubes.sum(), np.trace(cubes)
