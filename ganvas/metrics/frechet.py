"""Fréchet distance between two Gaussians fitted to features. Heusel et al. 2017, eq. 6 (there on Inception features: FID).

Biased upwards, the more so the fewer samples and the more features there are: compare scores of one sample count only,
and beside the distance between two halves of the real data.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from .check import check_feature_pair


@config
class Frechet:
    """Squared Fréchet distance, "frechet" >= 0, in squared units of the features; 0 for the same mean and covariance."""

    samples: int | None = None

    @property
    def against(self) -> Literal["train"]:
        return "train"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"frechet": True}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        return {"frechet": frechet_distance(real.reference.features, fake.features)}


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """The squared distance of the Gaussians with the moments of real [N, D] and fake [M, D], covariances with ddof 1.

    Raises:
        GanvasError: fewer than two samples, different D, values that are not finite.
    """
    real, fake = check_feature_pair(real, fake)
    return gaussian_distance(*measure_moments(real), *measure_moments(fake))


def measure_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D] and covariance [D, D] of x [N, D]."""
    mean = x.mean(0)
    centred = x - mean
    return mean, centred.T @ centred / (len(x) - 1)  # a matrix times itself: BLAS does half the work, np.cov does not


def gaussian_distance(mean_r: np.ndarray, cov_r: np.ndarray, mean_f: np.ndarray, cov_f: np.ndarray) -> float:
    """‖μr − μf‖² + tr Σr + tr Σf − 2·tr (Σr^½ Σf Σr^½)^½ from means [D] and covariances [D, D]."""
    L = _factor_covariance(cov_r)
    eigenvalues = np.linalg.eigvalsh(L.T @ cov_f @ L)  # those of Σr^½ Σf Σr^½, whichever root L is
    trace = np.trace(cov_r) + np.trace(cov_f) - 2 * np.sqrt(eigenvalues.clip(0)).sum()
    return max(0.0, float(np.sum((mean_r - mean_f) ** 2) + trace))  # rounding may fall below 0


def _factor_covariance(cov: np.ndarray) -> np.ndarray:
    """L with L Lᵀ = cov: Cholesky, or from eigenvectors where dead features or few samples leave cov singular."""
    try:
        return np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(cov)
        return vectors * np.sqrt(values.clip(0))
