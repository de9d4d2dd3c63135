"""Scores of two sets of windows of time series (core.PlainSeries). One file each; detection needs scikit-learn.

The floor of a score, real windows against real ones, comes from the same function: give it the windows at the end of time.
"""

from .analogues import find_analogues
from .columns import SeriesColumns
from .correlations import CorrelationErrors, measure_autocorrelations, score_autocorrelations, score_cross_correlations
from .detection import WindowDetectability, WindowDetection, detect_windows
from .forecasts import ColumnForecasts, ForecastScore, measure_crps, score_column_forecasts, score_forecasts
from .likeness import SeriesLikeness
from .recurrent import score_discriminative, score_predictive
from .steps import score_series_shapes, score_step_shapes

__all__ = [
    "ColumnForecasts",
    "CorrelationErrors",
    "ForecastScore",
    "SeriesColumns",
    "SeriesLikeness",
    "WindowDetectability",
    "WindowDetection",
    "detect_windows",
    "find_analogues",
    "measure_autocorrelations",
    "measure_crps",
    "score_autocorrelations",
    "score_column_forecasts",
    "score_cross_correlations",
    "score_discriminative",
    "score_forecasts",
    "score_predictive",
    "score_series_shapes",
    "score_step_shapes",
]
