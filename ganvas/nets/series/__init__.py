"""Networks for windows of time series."""

from .doppelganger import DoppelGANger
from .grus import SeriesGRUs
from .windows import WindowConvolutions

__all__ = ["DoppelGANger", "SeriesGRUs", "WindowConvolutions"]
