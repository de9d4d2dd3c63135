"""Captions: texts that say what a picture shows."""

from .codec import CaptionCodec
from .condition import TextCondition
from .medium import Captions
from .scaled_encoder import ScaledEncoder

__all__ = ["CaptionCodec", "Captions", "ScaledEncoder", "TextCondition"]
