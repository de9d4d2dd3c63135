"""Scores of two tables: shapes, pair trends, detection, efficacy. One file each; the last two need scikit-learn.

The floor of a score, real rows against real ones, comes from the same function: give it real rows in the place of fakes.
"""

from .detection import Detection, detect_rows
from .efficacy import Efficacy, score_efficacy
from .pair_trends import PairScores, score_pair_trends, shuffle_columns
from .shapes import score_shapes

__all__ = [
    "Detection",
    "Efficacy",
    "PairScores",
    "detect_rows",
    "score_efficacy",
    "score_pair_trends",
    "score_shapes",
    "shuffle_columns",
]
