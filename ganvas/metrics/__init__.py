"""Scores on plain feature matrices, one file per metric."""

from .appearance import AppearanceGap
from .copying import Copying
from .density_coverage import DensityCoverage
from .frechet import Frechet, frechet_distance
from .inception_score import InceptionScore
from .kid import KID
from .modes import Modes
from .precision_recall import PrecisionRecall

__all__ = [
    "KID",
    "AppearanceGap",
    "Copying",
    "DensityCoverage",
    "Frechet",
    "InceptionScore",
    "Modes",
    "PrecisionRecall",
    "frechet_distance",
]
