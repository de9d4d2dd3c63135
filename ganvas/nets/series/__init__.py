"""Networks for windows of time series."""

from .windows import WindowConvolutions

__all__ = ["WindowConvolutions"]
