"""Extractors by the names that the command line gives them."""

from ..core import Extractor
from ..errors import GanvasError
from . import EfficientNetLite0, FashionClassifier, Inception, Pixels

EXTRACTORS = {"classifier": FashionClassifier, "efficientnet": EfficientNetLite0, "inception": Inception, "pixels": Pixels}


def called(extractor: str, download: bool) -> Extractor:
    """The extractor that the command line calls so; its weights are fetched now where they are missing and may be."""
    if extractor not in EXTRACTORS:
        raise GanvasError(f"there is no extractor {extractor!r}: --extractor {', '.join(EXTRACTORS)}")
    if download and extractor == "inception":
        Inception(download=True).file()
    return EXTRACTORS[extractor]()
