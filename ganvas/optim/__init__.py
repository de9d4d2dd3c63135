"""Optimisers, schedules, the moving average."""

from .optimisers import Adam, ClipGradients, RMSprop
from .schedules import Constant, Cosine

__all__ = ["Adam", "ClipGradients", "Constant", "Cosine", "RMSprop"]
