"""Improved precision and recall. Kynkäänniemi et al. 2019, eq. 1 and 2."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from .check import MIN_DOUBTED_SHARE, check_feature_pair
from .neighbours import count_balls, count_copied_points, measure_kth_distances


@config
class PrecisionRecall:
    """The share of fakes among the reals, "precision", and of reals among the fakes, "recall"; both in [0, 1].

    A sample is among a set if it lies within some member's distance to its `k`-th nearest neighbour, the edge included. Raises
    GanvasError unless both sets have more than `k` samples.
    """

    k: int = 3
    samples: int | None = 5_000

    @property
    def against(self) -> Literal["held-out"]:
        return "held-out"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"precision": False, "recall": False}

    def fit_to_samples(self, samples: int) -> "PrecisionRecall":
        """The metric with `k` below the number of samples."""
        return replace(self, k=min(self.k, samples - 1))

    def describe_doubt(self, real: RealFeatures, samples: int) -> str:
        """Balls of copied real samples have no size: only further copies lie in them."""
        points = real.held_out.features
        copies, count = count_copied_points(points, self.k), len(points)
        if copies < MIN_DOUBTED_SHARE * count:
            return ""
        return (
            f"precision, recall: {copies:,} of {count:,} real samples have {self.k} or more copies, and only exact copies "
            "count as near them"
        )

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        x, y = check_feature_pair(real.held_out.features, fake.features)
        return {"precision": float(is_among(y, x, self.k).mean()), "recall": float(is_among(x, y, self.k).mean())}


def is_among(points: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """Whether each of points [N, D] lies in the k-th neighbour ball of any of others [M, D] -> bool [N]."""
    return count_balls(points, others, measure_kth_distances(others, k), is_closed=True) > 0
