"""From samples to features: one file per extractor."""

from .appearance import Appearance
from .columns import ColumnValues
from .efficientnet import EfficientNetLite0
from .inception import Inception
from .ngrams import NGrams
from .pair_distances import ContentKept, PerceptualDistance
from .small import Coordinates, FashionClassifier, Pixels
from .windows import WindowValues

__all__ = [
    "Appearance",
    "ColumnValues",
    "ContentKept",
    "Coordinates",
    "EfficientNetLite0",
    "FashionClassifier",
    "Inception",
    "NGrams",
    "PerceptualDistance",
    "Pixels",
    "WindowValues",
]
