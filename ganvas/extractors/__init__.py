"""From samples to features: networks that see them, one file each."""

from .efficientnet import EfficientNetLite0
from .inception import Inception
from .small import Coordinates, FashionClassifier, Pixels

__all__ = ["Coordinates", "EfficientNetLite0", "FashionClassifier", "Inception", "Pixels"]
