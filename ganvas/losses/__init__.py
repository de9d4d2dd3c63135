"""What networks learn from: objectives, penalties, auxiliary losses, constraints on weights; one file each."""

from .category_entropy import CategoryEntropy
from .classification import Classification
from .content import ContentLoss
from .feature_matching import FeatureMatching
from .finite_difference import FiniteDifferenceR1, FiniteDifferenceR2
from .gradient_penalty import Dragan, Drift, GradientPenalty
from .historical import HistoricalAveraging
from .lecam import LeCam
from .matching_aware import MatchingAwarePenalty
from .mismatched_captions import MismatchedCaptions
from .mode_seeking import ModeSeeking
from .objectives import (
    Hinge,
    LabelSmoothing,
    LeastSquares,
    Minimax,
    NonSaturating,
    RelativisticAverage,
    RelativisticPairing,
    TopK,
    Wasserstein,
    WeightedObjective,
)
from .orthogonal import Orthogonal
from .paired_matching import PairedFeatureMatching
from .patchnce import PatchNCE
from .path_length import PathLength
from .perceptual import PerceptualLoss
from .pixels import PixelLoss
from .proper_scores import ProperScores
from .r1 import R1, R2
from .weight_clipping import WeightClipping

__all__ = [
    "R1",
    "R2",
    "CategoryEntropy",
    "Classification",
    "ContentLoss",
    "Dragan",
    "Drift",
    "FeatureMatching",
    "FiniteDifferenceR1",
    "FiniteDifferenceR2",
    "GradientPenalty",
    "Hinge",
    "HistoricalAveraging",
    "LabelSmoothing",
    "LeCam",
    "LeastSquares",
    "MatchingAwarePenalty",
    "Minimax",
    "MismatchedCaptions",
    "ModeSeeking",
    "NonSaturating",
    "Orthogonal",
    "PairedFeatureMatching",
    "PatchNCE",
    "PathLength",
    "PerceptualLoss",
    "PixelLoss",
    "ProperScores",
    "RelativisticAverage",
    "RelativisticPairing",
    "TopK",
    "Wasserstein",
    "WeightClipping",
    "WeightedObjective",
]
