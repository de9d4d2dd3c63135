"""Scores of pictures made from captions."""

from .fine_detail import measure_fine_detail
from .r_precision import draw_candidates, find_near_candidates, measure_r_precision
from .variety import measure_variety

__all__ = ["draw_candidates", "find_near_candidates", "measure_fine_detail", "measure_r_precision", "measure_variety"]
