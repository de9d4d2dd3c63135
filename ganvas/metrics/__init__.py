"""Scores on plain feature matrices: one file a metric, and the extractors that make features of samples."""

from .density_coverage import DensityCoverage
from .efficientnet import EfficientNetLite0
from .features import Coordinates, FashionClassifier, Pixels
from .frechet import Frechet, frechet_distance
from .inception import Inception
from .inception_score import InceptionScore
from .kid import KID
from .modes import Modes
from .precision_recall import PrecisionRecall

__all__ = [
    "KID",
    "Coordinates",
    "DensityCoverage",
    "EfficientNetLite0",
    "FashionClassifier",
    "Frechet",
    "Inception",
    "InceptionScore",
    "Modes",
    "Pixels",
    "PrecisionRecall",
    "frechet_distance",
]
