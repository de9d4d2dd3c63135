"""Extractors by their names on the command line; this folder's files are searched for them."""

import importlib
import pkgutil
from pathlib import Path

from ..configuration import is_config
from ..core import Extractor, SizedExtractor
from ..errors import require
from .inception import Inception


def list_extractors() -> dict[str, Extractor]:
    """All extractors of this folder with their default settings, by name; none of those that look at a part of a sample."""
    package = __package__ or ""
    modules = [
        importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules([str(Path(__file__).parent)])
    ]
    classes = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    extractors = [cls() for cls in dict.fromkeys(classes) if cls.__module__.startswith(package) and hasattr(cls, "word")]
    alone = [found for found in extractors if is_config(found) and isinstance(found, Extractor) and not hasattr(found, "part")]
    return dict(sorted((found.word, found) for found in alone))


def find_word(name: str) -> str | None:
    """The command line's word for the extractor that score cards call `name`, at any size that it chooses for pictures."""
    for word, extractor in list_extractors().items():
        sized = [extractor.fit_to_size(pixels) for pixels in (64, 128)] if isinstance(extractor, SizedExtractor) else []
        if name in [one.name for one in (extractor, *sized)]:
            return word
    return None


def make_extractor(word: str, is_download_allowed: bool) -> Extractor:
    """The extractor of this name. Missing weights are downloaded now, if that is allowed."""
    extractors = list_extractors()
    require(word in extractors, "extractor", word, f"one of {', '.join(extractors)}")
    if is_download_allowed and isinstance(extractors[word], Inception):
        Inception(download=True).find_weights_file()
    return extractors[word]
