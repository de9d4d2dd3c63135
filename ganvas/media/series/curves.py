"""Windows as small curves: a row of panels for each window, a panel for each column."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture

from ..table.columns import CodeLayout, ColumnCodec

MAX_CURVES = 6  # columns
PANEL_PIXELS, TITLE_PIXELS, GAP_PIXELS, FONT_SIZE = (150, 70), 18, 10, 12
CURVE_COLOUR, FRAME_COLOUR, TITLE_COLOUR = (31, 90, 160), (206, 206, 206), (24, 24, 24)
RADIUS = 1.5  # of a dot, for a value between two that are missing


def draw_curves(columns: Sequence[tuple[int, ColumnCodec]], codes: np.ndarray, lengths: np.ndarray) -> Picture:
    """Codes int64 [N, T, C] of N windows with so many steps [N]. Each column has one scale for all windows."""
    shown = [(k, column) for k, column in columns if column.fields][:MAX_CURVES]
    (width, height), count = PANEL_PIXELS, max(1, len(codes))
    size = (
        GAP_PIXELS + max(1, len(shown)) * (width + GAP_PIXELS),
        2 * GAP_PIXELS + TITLE_PIXELS + count * (height + GAP_PIXELS),
    )
    picture = Image.new("RGB", size, "white")
    canvas, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT_SIZE)
    for place, (k, column) in enumerate(shown):
        left = GAP_PIXELS + place * (width + GAP_PIXELS)
        canvas.text((left, GAP_PIXELS), column.name[:20], TITLE_COLOUR, font)
        heights = scale_codes(column.lay_out())
        for number, window in enumerate(codes):
            top = GAP_PIXELS + TITLE_PIXELS + number * (height + GAP_PIXELS)
            canvas.rectangle((left, top, left + width, top + height), outline=FRAME_COLOUR)
            _draw_curve(canvas, left, top, heights[window[:, k]], int(lengths[number]))
    return picture


def scale_codes(layout: CodeLayout) -> np.ndarray:
    """The height of each code, from 0 to 1, float64 [K]: its number between the smallest and largest; NaN if missing.

    Of a category, codes stand one above the other.
    """
    values, is_number = layout.values, ~np.isnan(layout.values)
    if not is_number.any():
        values = np.arange(len(layout.values), dtype=np.float64)
    low, high = np.nanmin(values), np.nanmax(values)
    return (values - low) / ((high - low) or 1.0)


def _draw_curve(canvas: ImageDraw.ImageDraw, left: int, top: int, heights: np.ndarray, length: int) -> None:
    (width, height), steps = PANEL_PIXELS, len(heights)
    x = left + 3 + (width - 6) * np.arange(steps) / max(1, steps - 1)
    y = top + height - 3 - (height - 6) * heights
    is_present = ~np.isnan(heights) & (np.arange(steps) < length)
    for t in np.flatnonzero(is_present).tolist():
        if t and is_present[t - 1]:
            canvas.line((x[t - 1], y[t - 1], x[t], y[t]), CURVE_COLOUR)
        elif t + 1 == steps or not is_present[t + 1]:
            canvas.ellipse((x[t] - RADIUS, y[t] - RADIUS, x[t] + RADIUS, y[t] + RADIUS), CURVE_COLOUR)
