"""Improved precision and recall. Kynkäänniemi et al. 2019, eq. 1 and 2."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..config import config
from ..core import Scored
from .check import matrices
from .neighbours import balls, kth_distances


@config
class PrecisionRecall:
    """Share of fakes among the reals, "precision", and of reals among the fakes, "recall", both in [0, 1].

    To be among a set is to lie within some member's distance to its `k`-th nearest fellow, the edge included. Raises
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

    def __call__(self, real: Scored, fake: Scored) -> dict[str, float]:
        x, y = matrices(real.features, fake.features)
        return {"precision": float(among(y, x, self.k).mean()), "recall": float(among(x, y, self.k).mean())}


def among(points: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """Whether each of points [N, D] lies in the k-th neighbour ball of any of others [M, D] -> bool [N]."""
    return balls(points, others, kth_distances(others, k), closed=True) > 0
