"""Inception score: each sample clearly shows a class, and the samples show all classes. Salimans et al. 2016, section 4."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from ..errors import GanvasError
from .check import check_features


@config
class InceptionScore:
    """Mean "inception_score" over consecutive splits, in [1, classes], and its spread "inception_score_std" (ddof 0).

    Uses only the class logits of fakes, not `real`: copies of one good sample per class get the maximum. The name belongs to
    the Inception classifier. Scores by another extractor compare only with each other. Raises GanvasError if the extractor
    gives no logits.
    """

    splits: int = 10

    @property
    def samples(self) -> None:
        return None

    @property
    def against(self) -> Literal["train"]:
        return "train"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"inception_score": False, "inception_score_std": True}

    def fit_to_samples(self, samples: int) -> "InceptionScore":
        """With two samples or more in each split: one sample alone always scores 1."""
        return replace(self, splits=min(self.splits, max(1, samples // 2)))

    def describe_doubt(self, real: RealFeatures, samples: int) -> str:
        """The score of a split is no higher than its number of samples."""
        logits, split_size = real.reference.logits, samples // self.splits
        if logits is None or split_size >= logits.shape[1]:
            return ""
        return (
            f"inception_score: a split has {split_size} samples, fewer than the {logits.shape[1]} classes: "
            f"the score is {-(-samples // self.splits)} at most"
        )

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        if fake.logits is None:
            raise GanvasError("inception score: this extractor is not a classifier: use FashionClassifier, or drop the metric")
        if self.splits < 1:
            raise GanvasError(f"inception score: splits must be 1 or more, got {self.splits}")
        logits = check_features(fake.logits, "logits of the fakes", min_samples=self.splits)
        edges = [i * len(logits) // self.splits for i in range(self.splits + 1)]
        scores = [inception_score(logits[a:b]) for a, b in pairwise(edges)]
        return {"inception_score": float(np.mean(scores)), "inception_score_std": float(np.std(scores))}


def inception_score(logits: np.ndarray) -> float:
    """exp E KL(p(y|x) ‖ p(y)) of logits [N, K], N >= 1."""
    shifted = logits - logits.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    p = np.exp(log_p)
    marginal = np.log(p.mean(0).clip(np.finfo(np.float64).tiny))  # a class without samples adds 0, not 0·∞
    return float(np.exp((p * (log_p - marginal)).sum(1).mean()))
