"""What a generator has to beat: samples that no network made. One file per baseline."""

from ...core import Baseline, Dataset, SampleBaseline, Spec
from .enlargement import Enlargement
from .hole_filling import MeanFill, OpenCVFill
from .identity import Identity
from .independent_columns import IndependentColumns
from .letter_trigrams import LetterTrigrams
from .mean_chroma import MeanChroma
from .mean_picture import MeanPicture
from .mixture import MIN_ROWS, MixtureByEM
from .nearest_source import NearestSource
from .recolouring import Histograms, Moments
from .shuffled_columns import ShuffledColumns
from .shuffled_letters import ShuffledLetters

__all__ = [
    "Enlargement",
    "Histograms",
    "Identity",
    "IndependentColumns",
    "LetterTrigrams",
    "MeanChroma",
    "MeanFill",
    "MeanPicture",
    "MixtureByEM",
    "Moments",
    "NearestSource",
    "OpenCVFill",
    "ShuffledColumns",
    "ShuffledLetters",
    "choose_baselines",
    "choose_sample_baselines",
]


def choose_baselines(spec: Spec, has_pairs: bool) -> tuple[Baseline, ...]:
    """What translators have to beat: the baselines that fit such samples; without pairs, those that need none."""
    paired: tuple[Baseline, ...] = (NearestSource(), MeanPicture()) if has_pairs else ()
    enlargements = (Enlargement(filter="lanczos"), Enlargement(filter="bicubic"))
    fills = (OpenCVFill(algorithm="telea"), OpenCVFill(algorithm="navier-stokes"), MeanFill())
    every = (*enlargements, *fills, Identity(), MeanChroma(), *paired, Moments(), Histograms())
    return tuple(baseline for baseline in every if baseline.applies_to(spec))


def choose_sample_baselines(training: Dataset) -> tuple[SampleBaseline, ...]:
    """The baselines that make such samples from nothing but training samples."""
    mixtures = (MixtureByEM(),) if len(training) >= MIN_ROWS else ()
    every: tuple[SampleBaseline, ...] = (
        IndependentColumns(),
        ShuffledColumns(),
        *mixtures,
        ShuffledLetters(),
        LetterTrigrams(),
    )
    return tuple(baseline for baseline in every if baseline.applies_to(training.codec))
