"""Texts as a picture."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture

WIDTH, FONT_PIXELS, LINE_PIXELS, MARGIN_PIXELS, SHOWN_CHARACTERS = 640, 13, 18, 6, 100
TEXT_COLOUR, PAGE_COLOUR = (24, 24, 24), (255, 255, 255)


def draw_text_lines(texts: Sequence[str]) -> Picture:
    """A line for each text."""
    page = Image.new("RGB", (WIDTH, max(64, 2 * MARGIN_PIXELS + LINE_PIXELS * len(texts))), PAGE_COLOUR)
    canvas, font = ImageDraw.Draw(page), ImageFont.load_default(FONT_PIXELS)
    for row, text in enumerate(texts):
        canvas.text((MARGIN_PIXELS, MARGIN_PIXELS + row * LINE_PIXELS), text[:SHOWN_CHARACTERS], TEXT_COLOUR, font)
    return page
