"""Texts as conditions: encoders, and the vectors that they return."""

from .encoder import TextEncoder
from .vectors import TextVectors, pack_text, unpack_text

__all__ = ["TextEncoder", "TextVectors", "pack_text", "unpack_text"]
