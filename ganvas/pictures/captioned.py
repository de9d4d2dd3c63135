"""Samples with their captions."""

import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Codec
from .table import FONT_PIXELS, PAGE_COLOUR, TEXT_COLOUR, TILE_GAP_PIXELS, draw_tile

LINE_PIXELS, CHARACTER_PIXELS, MARGIN_PIXELS = FONT_PIXELS + 3, 7, 4  # of a caption
TILE_PIXELS, MAX_LINES, LEAST_ROW_PIXELS = 128, 9, 384


def draw_captioned_tiles(codec: Codec, stored: Tensor, captions: Sequence[str], across: int = 8) -> Picture:
    """Samples [N, …] in rows, each with its caption under it."""
    panels = [draw_captioned_row(codec, sample[None], caption, 0) for sample, caption in zip(stored, captions, strict=True)]
    width = max(panel.width for panel in panels)
    rows = [panels[k : k + across] for k in range(0, len(panels), across)]
    heights = [max(panel.height for panel in row) for row in rows]
    page = Image.new("RGB", (width * min(across, len(panels)), sum(heights)), PAGE_COLOUR)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            page.paste(panel, (column * width, top))
        top += height
    return page


def draw_captioned_rows(codec: Codec, stored: Sequence[Tensor], captions: Sequence[str]) -> Picture:
    """A row of samples [N, …] for each caption, which stands under it."""
    panels = [
        draw_captioned_row(codec, samples, caption, LEAST_ROW_PIXELS) for samples, caption in zip(stored, captions, strict=True)
    ]
    page = Image.new("RGB", (max(panel.width for panel in panels), sum(panel.height for panel in panels)), PAGE_COLOUR)
    top = 0
    for panel in panels:
        page.paste(panel, (0, top))
        top += panel.height
    return page


def draw_captioned_row(codec: Codec, stored: Tensor, caption: str, least_width: int) -> Picture:
    """Samples side by side, and under them the caption, in lines of their width or `least_width`."""
    tiles = [draw_tile(codec, sample, TILE_PIXELS) for sample in stored]
    tiles_width = sum(tile.width + TILE_GAP_PIXELS for tile in tiles) + TILE_GAP_PIXELS
    width, height = max(tiles_width, least_width), max(tile.height for tile in tiles)
    lines = wrap_caption(caption, (width - 2 * MARGIN_PIXELS) // CHARACTER_PIXELS)
    page = Image.new("RGB", (width, height + TILE_GAP_PIXELS + LINE_PIXELS * len(lines) + MARGIN_PIXELS), PAGE_COLOUR)
    left = TILE_GAP_PIXELS
    for tile in tiles:
        page.paste(tile, (left, TILE_GAP_PIXELS))
        left += tile.width + TILE_GAP_PIXELS
    canvas, font = ImageDraw.Draw(page), ImageFont.load_default(FONT_PIXELS)
    for k, line in enumerate(lines):
        canvas.text((MARGIN_PIXELS, height + TILE_GAP_PIXELS + k * LINE_PIXELS), line, TEXT_COLOUR, font)
    return page


def wrap_caption(caption: str, characters: int) -> list[str]:
    """A caption in lines; a long one is cut."""
    return textwrap.wrap(caption, characters, max_lines=MAX_LINES, placeholder=" …")
