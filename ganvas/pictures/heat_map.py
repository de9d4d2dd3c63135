"""A square of numbers as colours, with the names of its rows and columns."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture

CELL_PIXELS, GAP_PIXELS, FONT_PIXELS, MAX_NAME_CHARACTERS = 22, 6, 12, 24
TEXT_COLOUR, EMPTY_COLOUR = (24, 24, 24), (240, 240, 240)
LOW_COLOUR, HIGH_COLOUR = np.array([255.0, 255.0, 255.0]), np.array([178.0, 24.0, 43.0])


def draw_heat_map(values: np.ndarray, names: Sequence[str], highest: float) -> Picture:
    """Values float64 [C, C], from white at 0 to red at `highest` and above; gray where NaN. Names are numbered at the top."""
    font = ImageFont.load_default(FONT_PIXELS)
    titles = [f"{k + 1} {name[:MAX_NAME_CHARACTERS]}" for k, name in enumerate(names)]
    left = GAP_PIXELS * 2 + max(round(font.getlength(title)) for title in titles)
    top, side = FONT_PIXELS + 2 * GAP_PIXELS, CELL_PIXELS * len(names)
    picture = Image.new("RGB", (left + side + GAP_PIXELS, top + side + GAP_PIXELS), "white")
    canvas = ImageDraw.Draw(picture)
    for i, title in enumerate(titles):
        canvas.text((GAP_PIXELS, top + i * CELL_PIXELS + 4), title, TEXT_COLOUR, font)
        canvas.text((left + i * CELL_PIXELS + 4, GAP_PIXELS), str(i + 1), TEXT_COLOUR, font)
        for j in range(len(names)):
            x, y = left + j * CELL_PIXELS, top + i * CELL_PIXELS
            canvas.rectangle((x, y, x + CELL_PIXELS - 2, y + CELL_PIXELS - 2), _choose_colour(values[i, j], highest))
    return picture


def _choose_colour(value: float, highest: float) -> tuple[int, int, int]:
    if np.isnan(value):
        return EMPTY_COLOUR
    red, green, blue = (LOW_COLOUR + (HIGH_COLOUR - LOW_COLOUR) * min(1.0, value / highest)).astype(int).tolist()
    return red, green, blue
