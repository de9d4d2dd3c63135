"""Scores on plain feature matrices, one file per metric; scores of pairs; and baselines to compare with."""

from .appearance import AppearanceGap
from .baselines import (
    Enlargement,
    Histograms,
    Identity,
    IndependentColumns,
    LetterTrigrams,
    MeanChroma,
    MeanFill,
    MeanPicture,
    MixtureByEM,
    Moments,
    NearestSource,
    OpenCVFill,
    ShuffledColumns,
    ShuffledLetters,
)
from .copying import Copying
from .density_coverage import DensityCoverage
from .frechet import Frechet, frechet_distance
from .inception_score import InceptionScore
from .kid import KID
from .modes import Modes
from .pairs import PSNR, SSIM, Colourfulness
from .precision_recall import PrecisionRecall
from .series import SeriesColumns, SeriesLikeness, WindowDetectability
from .tables import ColumnShapes, Detectability, PairTrends, TableColumns, Usefulness

__all__ = [
    "KID",
    "PSNR",
    "SSIM",
    "AppearanceGap",
    "Colourfulness",
    "ColumnShapes",
    "Copying",
    "DensityCoverage",
    "Detectability",
    "Enlargement",
    "Frechet",
    "Histograms",
    "Identity",
    "InceptionScore",
    "IndependentColumns",
    "LetterTrigrams",
    "MeanChroma",
    "MeanFill",
    "MeanPicture",
    "MixtureByEM",
    "Modes",
    "Moments",
    "NearestSource",
    "OpenCVFill",
    "PairTrends",
    "PrecisionRecall",
    "SeriesColumns",
    "SeriesLikeness",
    "ShuffledColumns",
    "ShuffledLetters",
    "TableColumns",
    "Usefulness",
    "WindowDetectability",
    "frechet_distance",
]
