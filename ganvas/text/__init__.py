"""Texts as conditions: encoders, and the vectors that they return."""

from .encoder import TextEncoder
from .memory import encode_cached
from .minilm import MiniLM
from .vectors import TextVectors, pack_text, unpack_text

__all__ = ["MiniLM", "TextEncoder", "TextVectors", "encode_cached", "pack_text", "unpack_text"]
