"""Networks that make pictures from texts."""

from .networks import TextToImage, require_texts

__all__ = ["TextToImage", "require_texts"]
