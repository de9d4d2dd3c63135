"""From samples to features: one file per extractor."""

from .efficientnet import EfficientNetLite0
from .inception import Inception
from .small import Coordinates, FashionClassifier, Pixels

__all__ = ["Coordinates", "EfficientNetLite0", "FashionClassifier", "Inception", "Pixels"]
