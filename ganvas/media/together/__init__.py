"""Several things at once: a picture, a row of a table and a sentence, side by side in one vector."""

from .codec import TogetherCodec
from .medium import Together
from .sentences import SentenceCodec

__all__ = ["SentenceCodec", "Together", "TogetherCodec"]
