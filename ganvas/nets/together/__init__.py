"""Networks for several things at once."""

from .architecture import TogetherNets

__all__ = ["TogetherNets"]
