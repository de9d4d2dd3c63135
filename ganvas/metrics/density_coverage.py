"""Density and coverage: like precision and recall, but robust to outliers. Naeem et al. 2020, section 3."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ..configuration import config
from ..core import Features, RealFeatures
from .check import MIN_DOUBTED_SHARE, check_feature_pair
from .neighbours import count_balls, count_copied_points, find_nearest_points, measure_kth_distances


@config
class DensityCoverage:
    """ "density" and "coverage". A ball reaches from a real sample to its `k`-th nearest real neighbour, the edge excluded.

    Density is the mean number of balls that a fake lies in, over `k`: 0 or more, near 1 for equal distributions. Coverage is
    the share of balls that hold a fake, in [0, 1]. Raises GanvasError unless there are more than `k` real samples.
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
        """The metric with `k` below the number of samples."""
        return replace(self, k=min(self.k, samples - 1))

    def describe_doubt(self, real: RealFeatures, samples: int) -> str:
        """Balls of copied real samples have no size: nothing lies in them, not even another copy."""
        points = real.held_out.features
        copies, count = count_copied_points(points, self.k), len(points)
        if copies < MIN_DOUBTED_SHARE * count:
            return ""
        return (
            f"density, coverage: {copies:,} of {count:,} real samples have {self.k} or more copies, and nothing counts as near "
            f"them: coverage is {1 - copies / count:.2f} at most"
        )

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        x, y = check_feature_pair(real.held_out.features, fake.features, min_samples=1)
        radii = measure_kth_distances(x, self.k)
        density = count_balls(y, x, radii, is_closed=False).mean() / self.k
        coverage = (find_nearest_points(x, y)[0] < radii).mean()
        return {"density": float(density), "coverage": float(coverage)}
