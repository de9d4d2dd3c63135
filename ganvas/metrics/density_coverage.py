"""Density and coverage: precision and recall that one outlier does not move. Naeem et al. 2020, section 3."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ..config import config
from ..core import Features
from .check import MIN_DOUBTED_SHARE, check_feature_pair
from .neighbours import count_balls, count_copied_points, find_nearest_points, measure_kth_distances


@config
class DensityCoverage:
    """In how many real balls a fake lies on average, over `k`, "density"; the share of them with a fake, "coverage".

    Density is 0 or more and near 1 for equal distributions; coverage is in [0, 1].

    A real ball reaches from a real sample to its `k`-th nearest fellow, the edge excluded. Raises GanvasError unless
    there are more than `k` real samples.
    """

    k: int = 5
    samples: int | None = 5_000

    @property
    def against(self) -> Literal["held-out"]:
        return "held-out"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"density": False, "coverage": False}

    def fit_to_samples(self, samples: int) -> "DensityCoverage":
        """With a `k` that so many samples have neighbours for."""
        return replace(self, k=min(self.k, samples - 1))

    def describe_doubt(self, real: Features, samples: int) -> str:
        """Copies among the real samples have balls of no size, in which nothing lies: not even a copy."""
        copies, count = count_copied_points(real.features, self.k), len(real.features)
        if copies < MIN_DOUBTED_SHARE * count:
            return ""
        return (
            f"density, coverage: {copies:,} of {count:,} real samples have {self.k} or more copies, and nothing counts as near "
            f"them: coverage is {1 - copies / count:.2f} at most"
        )

    def __call__(self, real: Features, fake: Features) -> dict[str, float]:
        x, y = check_feature_pair(real.features, fake.features, min_samples=1)
        radii = measure_kth_distances(x, self.k)
        density = count_balls(y, x, radii, is_closed=False).mean() / self.k
        coverage = (find_nearest_points(x, y)[0] < radii).mean()
        return {"density": float(density), "coverage": float(coverage)}
