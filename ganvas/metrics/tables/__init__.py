"""Scores of two tables: shapes, pair trends, detection, efficacy. One file each; the last two need scikit-learn.

The floor of a score, real rows against real ones, comes from the same function: give it real rows in the place of fakes.
"""

from .columns import TableColumns
from .detection import Detectability, Detection, detect_rows
from .efficacy import Efficacy, Usefulness, score_efficacy
from .pair_trends import PairScores, PairTrends, score_pair_trends, shuffle_columns
from .shapes import ColumnShapes, score_shapes

__all__ = [
    "ColumnShapes",
    "Detectability",
    "Detection",
    "Efficacy",
    "PairScores",
    "PairTrends",
    "TableColumns",
    "Usefulness",
    "detect_rows",
    "score_efficacy",
    "score_pair_trends",
    "score_shapes",
    "shuffle_columns",
]
