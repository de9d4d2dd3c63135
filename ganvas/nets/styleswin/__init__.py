"""StyleSwin: a style-driven G of windowed transformer blocks, and a D on wavelets. Zhang et al. 2022."""

from .architecture import StyleSwin

__all__ = ["StyleSwin"]
