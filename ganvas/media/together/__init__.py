"""Several things at once: a picture, a row of a table and a sentence, side by side in one vector."""

from .codec import TogetherCodec
from .medium import Together

__all__ = ["Together", "TogetherCodec"]
