"""Density and coverage: precision and recall that one outlier does not move. Naeem et al. 2020, section 3."""

from collections.abc import Mapping
from typing import Literal

from ..config import config
from ..core import Scored
from .check import matrices
from .neighbours import balls, kth_distances, nearest


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

    def __call__(self, real: Scored, fake: Scored) -> dict[str, float]:
        x, y = matrices(real.features, fake.features, least=1)
        radii = kth_distances(x, self.k)
        density = balls(y, x, radii, closed=False).mean() / self.k
        coverage = (nearest(x, y)[0] < radii).mean()
        return {"density": float(density), "coverage": float(coverage)}
