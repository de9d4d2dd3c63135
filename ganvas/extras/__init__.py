"""What stands beside the objective in a player's turn, one file each: terms of its loss, changes after its step."""

from .classification import Classification
from .clipping import WeightClipping
from .feature_matching import FeatureMatching
from .historical import HistoricalAveraging
from .lecam import LeCam
from .orthogonal import Orthogonal

__all__ = ["Classification", "FeatureMatching", "HistoricalAveraging", "LeCam", "Orthogonal", "WeightClipping"]
