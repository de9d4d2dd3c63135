"""What a translator has to beat: pictures made from their sources without a trained network. One file per baseline."""

from ...core import Baseline, Spec
from .enlargement import Enlargement
from .hole_filling import MeanFill, OpenCVFill
from .identity import Identity
from .mean_chroma import MeanChroma
from .mean_picture import MeanPicture
from .nearest_source import NearestSource
from .recolouring import Histograms, Moments

__all__ = [
    "Enlargement",
    "Histograms",
    "Identity",
    "MeanChroma",
    "MeanFill",
    "MeanPicture",
    "Moments",
    "NearestSource",
    "OpenCVFill",
    "choose_baselines",
]


def choose_baselines(spec: Spec, has_pairs: bool) -> tuple[Baseline, ...]:
    """The baselines that fit such samples; without pairs, those that need none."""
    paired: tuple[Baseline, ...] = (NearestSource(), MeanPicture()) if has_pairs else ()
    enlargements = (Enlargement(filter="lanczos"), Enlargement(filter="bicubic"))
    fills = (OpenCVFill(algorithm="telea"), OpenCVFill(algorithm="navier-stokes"), MeanFill())
    every = (*enlargements, *fills, Identity(), MeanChroma(), *paired, Moments(), Histograms())
    return tuple(baseline for baseline in every if baseline.applies_to(spec))
