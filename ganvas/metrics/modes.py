"""Modes of a mixture of Gaussians that samples reach. Srivastava et al. 2017 (VEEGAN), section 4.1; KL: Metz et al. 2017.

A sample is of high quality if it lies within three standard deviations of its nearest centre, and a centre is reached if
one such sample is nearest to it. One lucky sample is enough, so the other two numbers belong beside the count.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from ..errors import GanvasError
from .check import check_features
from .neighbours import find_nearest_points


@config
class Modes:
    """How many of the `centres` are reached, "modes", by what share of the samples, "high_quality" in [0, 1], how evenly.

    That is "mode_kl": KL of the histogram of the high-quality samples over the centres from the uniform one, in nats. With
    no sample of high quality it is log(centres), its worst. Features are the samples' coordinates.

    Raises:
        GanvasError: centres that the real samples do not lie at, or of another dimension; `std` not above 0.
    """

    centres: tuple[tuple[float, ...], ...]
    std: float  # of each Gaussian, in every direction
    max_deviations: float = 3.0  # standard deviations

    @property
    def samples(self) -> None:
        return None

    @property
    def against(self) -> Literal["train"]:
        return "train"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"modes": False, "high_quality": False, "mode_kl": True}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        points = check_features(fake.features, "fake", min_samples=1)
        if {len(c) for c in self.centres} != {points.shape[1]}:
            raise GanvasError(f"modes: samples have {points.shape[1]} coordinates, some centres have not: give matching ones")
        if not self.std > 0:
            raise GanvasError(f"modes: std must be above 0, got {self.std}: give the standard deviation of each Gaussian")
        centres = np.array(self.centres, np.float64)
        real_distances, _ = find_nearest_points(check_features(real.reference.features, "real", min_samples=1), centres)
        if (real_distances <= self.max_deviations * self.std).mean() < 0.9:  # of a true mixture, 99%
            raise GanvasError("modes: the real samples do not lie at these centres: give those of the data, and its std")
        distance, index = find_nearest_points(points, centres)
        is_high_quality = distance <= self.max_deviations * self.std
        counts = np.bincount(index[is_high_quality], minlength=len(self.centres))
        return {
            "modes": float(np.count_nonzero(counts)),
            "high_quality": float(is_high_quality.mean()),
            "mode_kl": _kl_from_uniform(counts),
        }


def _kl_from_uniform(counts: np.ndarray) -> float:
    """Σ p log(p·K) of a histogram [K], in nats; log K for an empty one."""
    if not counts.any():
        return float(np.log(len(counts)))
    p = counts[counts > 0] / counts.sum()
    return float(max(0.0, (p * np.log(p * len(counts))).sum()))
