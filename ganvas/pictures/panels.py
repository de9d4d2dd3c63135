"""Small multiples: panels of curves, each with its title and the ends of its scale."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture

SCALE = 2  # drawn larger and then shrunk, so that lines are smooth
PANEL_HEIGHT, TITLE_PIXELS, GAP_PIXELS, SCALE_WIDTH, FONT_PIXELS = 84, 17, 12, 44, 11
FRAME_COLOUR, TEXT_COLOUR, QUIET_COLOUR = (214, 214, 214), (24, 24, 24), (120, 120, 120)
MAX_TITLE_CHARACTERS = 44
Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Curve(NamedTuple):
    """Points at equal distances from the left to the right edge. NaN breaks the line."""

    heights: np.ndarray  # float64 [N]
    colour: Colour
    width: float = 1.0  # pixels
    is_filled: bool = False  # down to the bottom of the panel


class Panel(NamedTuple):
    """Curves on one scale."""

    title: str
    curves: Sequence[Curve]
    low: float
    high: float


def draw_panels(panels: Sequence[Panel], across: int, width: int) -> Picture:
    """Panels of `width` pixels in rows of `across`."""
    down = -(-len(panels) // across)
    cell_width, cell_height = SCALE_WIDTH + width + GAP_PIXELS, TITLE_PIXELS + PANEL_HEIGHT + GAP_PIXELS
    size = (GAP_PIXELS + across * cell_width, GAP_PIXELS + down * cell_height)
    picture = Image.new("RGB", (SCALE * size[0], SCALE * size[1]), "white")
    canvas, font = ImageDraw.Draw(picture), ImageFont.load_default(SCALE * FONT_PIXELS)
    for place, panel in enumerate(panels):
        left = GAP_PIXELS + place % across * cell_width + SCALE_WIDTH
        top = GAP_PIXELS + place // across * cell_height + TITLE_PIXELS
        _draw_panel(canvas, font, panel, SCALE * left, SCALE * top, SCALE * width)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _draw_panel(canvas: ImageDraw.ImageDraw, font: Font, panel: Panel, left: int, top: int, width: int) -> None:
    height, gap = SCALE * PANEL_HEIGHT, SCALE * 4
    canvas.text((left, top - SCALE * (TITLE_PIXELS - 1)), panel.title[:MAX_TITLE_CHARACTERS], TEXT_COLOUR, font)
    for value, y in ((panel.high, top), (panel.low, top + height - SCALE * FONT_PIXELS)):
        text = f"{value:.4g}"
        canvas.text((left - gap - round(font.getlength(text)), y), text, QUIET_COLOUR, font)
    canvas.rectangle((left, top, left + width, top + height), outline=FRAME_COLOUR, width=1)
    span = (panel.high - panel.low) or 1.0
    for curve in panel.curves:
        x = left + width * np.arange(len(curve.heights)) / max(1, len(curve.heights) - 1)
        y = top + gap + (height - 2 * gap) * (1 - (np.clip(curve.heights, panel.low, panel.high) - panel.low) / span)
        for run in _list_runs(~np.isnan(curve.heights)):
            _draw_run(canvas, curve, list(zip(x[run].tolist(), y[run].tolist(), strict=True)), top + height)


def _draw_run(canvas: ImageDraw.ImageDraw, curve: Curve, points: list[tuple[float, float]], bottom: int) -> None:
    if curve.is_filled and len(points) > 1:
        canvas.polygon([(points[0][0], bottom), *points, (points[-1][0], bottom)], fill=curve.colour)
    elif len(points) > 1:
        canvas.line(points, curve.colour, max(1, round(SCALE * curve.width)), joint="curve")
    else:
        ((x, y),) = points
        canvas.ellipse((x - SCALE, y - SCALE, x + SCALE, y + SCALE), curve.colour)


def _list_runs(is_present: np.ndarray) -> list[slice]:
    """The runs of points that follow each other."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_present, [False]]).astype(np.int8)))
    return [slice(start, end) for start, end in edges.reshape(-1, 2).tolist()]
