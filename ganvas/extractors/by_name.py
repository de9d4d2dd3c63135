"""Extractors by the words that the command line has for them, found in this folder's files."""

import importlib
import pkgutil
from pathlib import Path

from ..configuration import is_config
from ..core import Extractor
from ..errors import GanvasError
from .inception import Inception


def list_extractors() -> dict[str, Extractor]:
    """Every extractor of this folder with its usual settings, by its word."""
    package = __package__ or ""
    modules = [
        importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules([str(Path(__file__).parent)])
    ]
    classes = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    extractors = [cls() for cls in dict.fromkeys(classes) if cls.__module__.startswith(package) and hasattr(cls, "word")]
    return dict(sorted((found.word, found) for found in extractors if is_config(found) and isinstance(found, Extractor)))


def make_extractor(word: str, is_download_allowed: bool) -> Extractor:
    """The extractor that the command line calls so; its weights are fetched now where they are missing and may be."""
    extractors = list_extractors()
    if word not in extractors:
        raise GanvasError(f"there is no extractor {word!r}: --extractor {', '.join(extractors)}")
    if is_download_allowed and isinstance(extractors[word], Inception):
        Inception(download=True).find_weights_file()
    return extractors[word]
