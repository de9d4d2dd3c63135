"""The checks of features that every metric starts with."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from ..core import Metric, RealFeatures
from ..errors import GanvasError

MIN_DOUBTED_SHARE = 0.01  # of the real samples: fewer problematic ones are not worth a note


@runtime_checkable
class SampleLimited(Protocol):
    """A metric with a setting that needs a number of samples, and that can be lowered."""

    def fit_to_samples(self, samples: int) -> Metric:
        """The metric with settings that this number of samples allows (2 or more)."""
        ...


@runtime_checkable
class SelfCritical(Protocol):
    """A metric that knows when its scores are not meaningful."""

    def describe_doubt(self, real: RealFeatures, samples: int) -> str:
        """Why scores of `samples` generated samples are not meaningful; "" if they are."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A metric that does not apply to all data. It computes its own baseline."""

    def applies_to(self, real: RealFeatures) -> bool:
        """Whether these real samples allow the metric."""
        ...

    def compute_baseline(self, real: RealFeatures, n: int) -> dict[str, float]:
        """The scores of real samples in the place of `n` generated ones."""
        ...


@runtime_checkable
class SelfExplaining(Protocol):
    """A metric that says in a sentence what its scores mean."""

    def explain(self, scores: Mapping[str, float]) -> str:
        """What these scores, which the metric has computed, mean; "" for nothing worth a word."""
        ...


def check_features(values: np.ndarray, set_name: str, min_samples: int = 2) -> np.ndarray:
    """`values` as float64 [N, D] with N >= `min_samples`, all finite.

    Raises:
        GanvasError: another shape, too few samples, a NaN or an infinity.
    """
    if values.ndim != 2 or values.shape[1] == 0:
        raise GanvasError(f"{set_name}: features must be a matrix [N, D], got {list(values.shape)}: flatten each sample")
    if len(values) < min_samples:
        noun = "sample" if len(values) == 1 else "samples"
        raise GanvasError(f"{set_name}: {len(values)} {noun}, this metric needs at least {min_samples}: score more of them")
    values = values.astype(np.float64, copy=False)
    if not np.isfinite(values).all():
        raise GanvasError(f"{set_name}: features hold NaN or infinity: training has diverged, use an earlier checkpoint")
    return values


def check_feature_pair(real: np.ndarray, fake: np.ndarray, min_samples: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Real [N, D] and fake [M, D] features, checked. Raises GanvasError as `check_features` does, and if they differ in D."""
    real, fake = check_features(real, "real", min_samples), check_features(fake, "fake", min_samples)
    if real.shape[1] != fake.shape[1]:
        raise GanvasError(f"real samples have {real.shape[1]} features and fakes {fake.shape[1]}: use one extractor and size")
    return real, fake
