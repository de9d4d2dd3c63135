"""What a generator of series made beside real series: windows, distributions, autocorrelations and forecasts."""

import io

import numpy as np
from PIL.Image import Image as Picture

from ..core import Exhibit, Method, Nets, PlainSeries, PlainSeriesCodec
from ..media import SeriesCodec
from ..metrics.series import measure_autocorrelations, score_autocorrelations, score_series_shapes, score_step_shapes
from ..pictures.panels import Curve, Panel, draw_panels
from ..sampling.windows import WindowFiller, can_fill_windows
from .evaluator import Evaluator
from .forecasts import ForecastScorer

COMPARED_WINDOWS, SHOWN_WINDOWS, SHOWN_COLUMNS, SHOWN_FORECASTS = 3_000, 8, 8, 3
REAL_COLOUR, FAKE_COLOUR, FILL_COLOUR = (96, 96, 96), (31, 90, 160), (206, 206, 206)
BARS, MAX_LAG = 40, 24
WIDE, NARROW = 420, 230  # pixels of a panel
COMMON_SHARE = 0.002  # of all values, beyond each end of a histogram


def list_series_exhibits(evaluator: Evaluator, method: Method, nets: Nets) -> list[Exhibit]:
    """The exhibits of these networks; none for samples that are no series, or without real ones to compare with."""
    codec = evaluator.codec
    if not isinstance(codec, PlainSeriesCodec) or not evaluator.has_reals:
        return []
    real = codec.read_plain_series(evaluator.split.reference.take(0, COMPARED_WINDOWS)["x"])
    fake = codec.read_plain_series(evaluator.draw_fakes(method, nets, COMPARED_WINDOWS))
    exhibits = [show_windows(real, fake), show_distributions(real, fake), show_autocorrelations(real, fake)]
    if isinstance(codec, SeriesCodec) and can_fill_windows(method, nets, codec):
        scorer = ForecastScorer(codec, evaluator.split, evaluator.evaluation.seed)
        exhibits += [show_forecasts(scorer, WindowFiller(method, nets, codec))] if len(scorer.windows) else []
    return exhibits


def show_windows(real: PlainSeries, fake: PlainSeries) -> Exhibit:
    """A row for each column: real windows one after the other, and generated ones on the same scale."""
    panels = list[Panel]()
    for k, name in _list_moving_columns(real):
        low, high = _find_scale(real, k)
        for side, word, colour in ((real, "real", REAL_COLOUR), (fake, "generated", FAKE_COLOUR)):
            line = [np.append(window, [np.nan] * 2) for window in _read_numbers(side, k)[:SHOWN_WINDOWS]]
            panels.append(Panel(f"{name}, {word}", [Curve(np.concatenate(line)[:-2], colour, 1.2)], low, high))
    caption = f"{SHOWN_WINDOWS} windows of each column: real ones in gray, generated ones in blue, on the same scale"
    return _build_exhibit("windows", caption, draw_panels(panels, 2, WIDE))


def show_distributions(real: PlainSeries, fake: PlainSeries) -> Exhibit:
    """Histograms of each column's values, and of its changes from step to step."""
    shapes, step_shapes, panels = score_series_shapes(real, fake), score_step_shapes(real, fake), list[Panel]()
    for k, name in _list_moving_columns(real):
        x, y = (_read_numbers(side, k) for side in (real, fake))
        pairs = [(f"{name}: values, {shapes[name]:.3f}", x.ravel(), y.ravel())]
        if real.kinds[k] == "number":
            pairs.append((f"{name}: steps, {step_shapes[name]:.3f}", np.diff(x, axis=1).ravel(), np.diff(y, axis=1).ravel()))
        panels += [_build_histogram(*pair) for pair in pairs]
    caption = (
        "Distributions of values, and of changes from step to step: real ones filled, generated ones as a line. The numbers "
        "say how alike they are: 1 is equal"
    )
    return _build_exhibit("distributions", caption, draw_panels(panels, 4, NARROW))


def show_autocorrelations(real: PlainSeries, fake: PlainSeries) -> Exhibit:
    """How much each number depends on its own past."""
    errors, panels = score_autocorrelations(real, fake).by_column, list[Panel]()
    for k, name in _list_moving_columns(real):
        if real.kinds[k] != "number":
            continue
        sides = [np.append(1.0, measure_autocorrelations(_read_numbers(side, k), MAX_LAG)) for side in (real, fake)]
        curves = [Curve(sides[0], REAL_COLOUR, 2.5), Curve(sides[1], FAKE_COLOUR, 1.2)]
        panels.append(Panel(f"{name}: error {errors.get(name, 0):.3f}", curves, min(-0.5, *map(np.min, sides)), 1.0))
    lags = min(MAX_LAG, real.steps - 1)
    caption = f"Autocorrelation from 0 to {lags} steps: real windows in gray, generated ones in blue"
    return _build_exhibit("autocorrelations", caption, draw_panels(panels, 4, NARROW))


def show_forecasts(scorer: ForecastScorer, filler: WindowFiller) -> Exhibit:
    """Some real windows whose end was forecast several times."""
    members, panels = scorer.forecast(filler), list[Panel]()
    for window in np.linspace(0, len(scorer.windows) - 1, SHOWN_FORECASTS).astype(int):
        for k, name in _list_moving_columns(scorer.truth)[:4]:
            low, high = _find_scale(scorer.truth, k)
            ends = [_read_numbers(member, k)[window].copy() for member in members]
            for end in ends:
                end[: scorer.known_steps - 1] = np.nan
            truth = Curve(_read_numbers(scorer.truth, k)[window], REAL_COLOUR, 2.0)
            panels.append(Panel(name, [*(Curve(end, FAKE_COLOUR, 0.6) for end in ends), truth], low, high))
    caption = (
        f"Forecasts, a row for each window: after {scorer.known_steps} known steps, {len(members)} continuations in blue, and "
        "what came in gray"
    )
    columns = min(4, len(_list_moving_columns(scorer.truth)))
    return _build_exhibit("forecasts", caption, draw_panels(panels, columns, NARROW))


def _list_moving_columns(series: PlainSeries) -> list[tuple[int, str]]:
    """The number and name of the first columns that change within windows; of all columns if none does."""
    columns = list(enumerate(series.names))
    moving = [(k, name) for k, name in columns if (series.values[k] != series.values[k][:, :1]).any()]
    return (moving or columns)[:SHOWN_COLUMNS]


def _read_numbers(series: PlainSeries, column: int) -> np.ndarray:
    """A column as numbers float64 [N, T], a category as its code; NaN where it is missing or over."""
    return np.where(series.is_alive, series.values[column].astype(np.float64), np.nan)


def _find_scale(series: PlainSeries, column: int) -> tuple[float, float]:
    values = _read_numbers(series, column)
    return (float(np.nanmin(values)), float(np.nanmax(values))) if (~np.isnan(values)).any() else (0.0, 1.0)


def _build_histogram(title: str, real: np.ndarray, fake: np.ndarray) -> Panel:
    """Shares of values in bars of equal width, without the few beyond the ends."""
    real, fake = (values[~np.isnan(values)] for values in (real, fake))
    if not len(real):
        return Panel(title, [], 0.0, 1.0)
    low, high = np.quantile(real, [COMMON_SHARE, 1 - COMMON_SHARE])
    edges = np.linspace(low, high if high > low else low + 1, BARS + 1)
    shares = [np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(1, len(values)) for values in (real, fake)]
    curves = [Curve(_outline(shares[0]), FILL_COLOUR, is_filled=True), Curve(_outline(shares[1]), FAKE_COLOUR, 1.2)]
    return Panel(title, curves, 0.0, float(max(map(np.max, shares))))


def _outline(shares: np.ndarray) -> np.ndarray:
    """Bars as a curve with steps."""
    return np.repeat(shares, 6)


def _build_exhibit(name: str, caption: str, picture: Picture) -> Exhibit:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return Exhibit(name, caption, ".png", buffer.getvalue())
