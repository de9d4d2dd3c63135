"""How many modes of a mixture of Gaussians are reached. Srivastava et al. 2017 (VEEGAN), section 4.1; KL: Metz et al. 2017.

A sample is of high quality if it lies within three standard deviations of its nearest centre. A centre is reached if it is the
nearest one of such a sample. One lucky sample is enough, so read the count together with the other two numbers.
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
    """The number of reached `centres`, "modes"; the share of high-quality samples, "high_quality" in [0, 1]; and "mode_kl".

    "mode_kl" says how evenly the modes are reached: the KL divergence of the histogram of high-quality samples from the uniform
    one, in nats. Without such samples it is log(centres), its worst. Features are the samples' coordinates.

    Raises:
        GanvasError: the centres have another dimension, or the real samples lie elsewhere; `std` is not above 0.
    """

    centres: tuple[tuple[float, ...], ...]
    std: float  # of each Gaussian, in every direction
    max_deviations: float = 3.0  # from its centre, for a sample of high quality

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
            raise GanvasError(f"modes: samples have {points.shape[1]} coordinates, some centres do not: give matching ones")
        if not self.std > 0:
            raise GanvasError(f"modes: std must be above 0, got {self.std}: give the standard deviation of each Gaussian")
        centres = np.array(self.centres, np.float64)
        real_distances, _ = find_nearest_points(check_features(real.reference.features, "real", min_samples=1), centres)
        if (real_distances <= self.max_deviations * self.std).mean() < 0.9:  # a true mixture has 99%
            raise GanvasError("modes: the real samples do not lie at these centres: give the centres and the std of the data")
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
