"""From samples to features: one file per extractor."""

from .appearance import Appearance
from .efficientnet import EfficientNetLite0
from .inception import Inception
from .pair_distances import ContentKept, PerceptualDistance
from .small import Coordinates, FashionClassifier, Pixels

__all__ = [
    "Appearance",
    "ContentKept",
    "Coordinates",
    "EfficientNetLite0",
    "FashionClassifier",
    "Inception",
    "PerceptualDistance",
    "Pixels",
]
