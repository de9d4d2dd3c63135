"""Fréchet distance between two Gaussians fitted to features. Heusel et al. 2017, eq. 6 (there on Inception features: FID).

Biased upwards: more with fewer samples, and more with more features. Compare only scores of one sample count, and look at the
distance between two halves of the real data, too.
"""

import weakref
from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from .check import check_feature_pair

_moments_by_array: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # by the id of an array that lives


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
    mean_r, cov_r = recall_moments(real)
    if len(fake) >= fake.shape[1]:
        return gaussian_distance(mean_r, cov_r, *measure_moments(fake))
    # F Fᵀ and Fᵀ F have the same eigenvalues: of few samples, the matrix [M, M] is smaller than [D, D]
    mean_f = fake.mean(0)
    F = (fake - mean_f) / np.sqrt(len(fake) - 1)  # Σf = Fᵀ F
    return _add_distances(mean_r, mean_f, np.trace(cov_r) + np.sum(F * F), np.linalg.eigvalsh(F @ cov_r @ F.T))


def measure_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D] and covariance [D, D] of x [N, D]."""
    mean = x.mean(0)
    centred = x - mean
    return mean, centred.T @ centred / (len(x) - 1)  # a matrix times itself: BLAS does half the work, np.cov does not


def recall_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`measure_moments` of a reference, which all cards of a run compare with: measured once, while the array lives.

    Of 10,000 samples with 1,280 features it takes half a second.
    """
    known = _moments_by_array.get(id(x))
    if known is None:
        known = _moments_by_array[id(x)] = measure_moments(x)
        weakref.finalize(x, _moments_by_array.pop, id(x), None)
    return known


def gaussian_distance(mean_r: np.ndarray, cov_r: np.ndarray, mean_f: np.ndarray, cov_f: np.ndarray) -> float:
    """‖μr − μf‖² + tr Σr + tr Σf − 2·tr (Σr^½ Σf Σr^½)^½ from means [D] and covariances [D, D]."""
    L = _factor_covariance(cov_r)
    eigenvalues = np.linalg.eigvalsh(L.T @ cov_f @ L)  # equal to the ones of Σr^½ Σf Σr^½, for any root L
    return _add_distances(mean_r, mean_f, np.trace(cov_r) + np.trace(cov_f), eigenvalues)


def _add_distances(mean_r: np.ndarray, mean_f: np.ndarray, traces: float, eigenvalues: np.ndarray) -> float:
    trace = traces - 2 * np.sqrt(eigenvalues.clip(0)).sum()
    return max(0.0, float(np.sum((mean_r - mean_f) ** 2) + trace))  # rounding may give less than 0


def _factor_covariance(cov: np.ndarray) -> np.ndarray:
    """L with L Lᵀ = cov: Cholesky, or from eigenvectors if dead features or few samples make cov singular."""
    try:
        return np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(cov)
        return vectors * np.sqrt(values.clip(0))
