"""Extractors by their names on the command line."""

from ..core import Extractor
from ..errors import require
from . import EfficientNetLite0, FashionClassifier, Inception, Pixels

EXTRACTORS = {"classifier": FashionClassifier, "efficientnet": EfficientNetLite0, "inception": Inception, "pixels": Pixels}


def make_extractor(name: str, is_download_allowed: bool) -> Extractor:
    """The extractor of this name. Missing weights are downloaded now, if that is allowed."""
    require(name in EXTRACTORS, "extractor", name, f"one of {', '.join(EXTRACTORS)}")
    if is_download_allowed and name == "inception":
        Inception(download=True).find_weights_file()
    return EXTRACTORS[name]()
