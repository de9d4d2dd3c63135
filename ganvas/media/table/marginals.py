"""Marginals as small multiples: for each column, bars of the samples before bars of the training data."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture

from .columns import CodeLayout, ColumnCodec

MAX_PANELS, PANELS_PER_ROW, MAX_BARS = 12, 4, 20
PANEL_WIDTH, PANEL_HEIGHT, TITLE_HEIGHT, GAP = 200, 110, 18, 10  # pixels
DATA_COLOUR, SAMPLE_COLOUR, TEXT_COLOUR, AXIS_COLOUR = (206, 206, 206), (31, 90, 160), (24, 24, 24), (170, 170, 170)
FONT_PIXELS = 12


class BarPair(NamedTuple):
    """The shares of rows in each of B bars, float64 [B]."""

    data: np.ndarray
    samples: np.ndarray


def draw_marginals(columns: Sequence[ColumnCodec], codes: np.ndarray) -> Picture:
    """One panel for each of the first MAX_PANELS columns that are learnt. Codes are int64 [N, C]. Gray bars are the data."""
    shown = [(k, column) for k, column in enumerate(columns) if column.fields][:MAX_PANELS]
    across = min(PANELS_PER_ROW, max(1, len(shown)))
    down = max(1, -(-len(shown) // across))
    size = (GAP + across * (PANEL_WIDTH + GAP), GAP + down * (PANEL_HEIGHT + TITLE_HEIGHT + GAP))
    picture = Image.new("RGB", size, "white")
    canvas, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT_PIXELS)
    for place, (k, column) in enumerate(shown):
        left = GAP + place % across * (PANEL_WIDTH + GAP)
        top = GAP + place // across * (PANEL_HEIGHT + TITLE_HEIGHT + GAP)
        canvas.text((left, top), _shorten_title(column.name), TEXT_COLOUR, font)
        _draw_bars(canvas, left, top + TITLE_HEIGHT, measure_bars(column.lay_out(), codes[:, k]))
    return picture


def measure_bars(layout: CodeLayout, codes: np.ndarray) -> BarPair:
    """Bars of equal width over the numbers, then one for missing values. Of a category: the commonest values, then others."""
    bars = _number_bars(layout)
    sample_weights = np.bincount(codes, minlength=len(bars)) / max(1, len(codes))
    data, samples = (np.bincount(bars, weights=w, minlength=bars.max() + 1) for w in (layout.weights, sample_weights))
    return BarPair(data, samples)


def _number_bars(layout: CodeLayout) -> np.ndarray:
    """The bar of each code: int64 [K]."""
    is_number = ~np.isnan(layout.values)
    if not is_number.any():
        order = np.argsort(-layout.weights, kind="stable")
        bars = np.empty(len(order), np.int64)
        bars[order] = np.minimum(np.arange(len(order)), MAX_BARS - 1)
        return bars
    numbers = layout.values[is_number]
    low, high = numbers.min(), numbers.max()
    bar_count = min(MAX_BARS, len(numbers))
    bars = np.full(len(layout.values), bar_count)  # of missing values
    span = high - low or 1.0
    bars[is_number] = np.minimum(((numbers - low) / span * bar_count).astype(np.int64), bar_count - 1)
    return bars


def _draw_bars(canvas: ImageDraw.ImageDraw, left: int, top: int, bars: BarPair) -> None:
    bottom, highest = top + PANEL_HEIGHT, max(bars.data.max(), bars.samples.max(), 1e-9)
    width = PANEL_WIDTH / len(bars.data)
    for k, (data, samples) in enumerate(zip(bars.data, bars.samples, strict=True)):
        x = left + k * width
        canvas.rectangle((x, bottom - data / highest * (PANEL_HEIGHT - 4), x + width - 1, bottom), DATA_COLOUR)
        inset = min(width * 0.25, 4)
        canvas.rectangle(
            (x + inset, bottom - samples / highest * (PANEL_HEIGHT - 4), x + max(inset, width - 1 - inset), bottom),
            SAMPLE_COLOUR,
        )
    canvas.line((left, bottom, left + PANEL_WIDTH, bottom), AXIS_COLOUR)


def _shorten_title(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"
