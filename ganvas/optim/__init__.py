"""Optimisers, schedules, the moving average."""

from .optimisers import Adam, ClipGradients, RMSprop
from .schedules import Constant, Cosine, Linear

__all__ = ["Adam", "ClipGradients", "Constant", "Cosine", "Linear", "RMSprop"]
