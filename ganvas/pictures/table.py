"""Tables of pictures and text."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Codec

TILE_PIXELS, TILE_GAP_PIXELS, FONT_PIXELS = 96, 2, 13  # pixels: of a tile, between tiles, of letters
TEXT_COLOUR, PAGE_COLOUR = (24, 24, 24), (255, 255, 255)
Cell = Picture | str


def draw_tile(codec: Codec, stored: Tensor, size: int = TILE_PIXELS) -> Picture:
    """One sample as a tile whose longer side is `size`: enlarged by repeating pixels, or shrunk by averaging."""
    picture = codec.preview(stored[None])
    longer = max(picture.size)
    width, height = (max(1, round(side * size / longer)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX if longer > size else Image.Resampling.NEAREST)


def draw_tiles(codec: Codec, stored: Tensor) -> list[Picture]:
    return [draw_tile(codec, sample) for sample in stored]


def draw_table(rows: Sequence[Sequence[Cell]]) -> Picture:
    """Pictures and text in rows and columns, which are as large as their content needs."""
    font = ImageFont.load_default(FONT_PIXELS)
    columns = max(len(row) for row in rows)
    cells = [[*row, *([""] * (columns - len(row)))] for row in rows]
    sizes = [[measure_cell(cell, font) for cell in row] for row in cells]
    widths = [max(row[k][0] for row in sizes) for k in range(columns)]
    heights = [max(height for _, height in row) for row in sizes]
    page = Image.new(
        "RGB", (sum(widths) + TILE_GAP_PIXELS * (columns + 1), sum(heights) + TILE_GAP_PIXELS * (len(rows) + 1)), PAGE_COLOUR
    )
    draw, top = ImageDraw.Draw(page), TILE_GAP_PIXELS
    for row, height in zip(cells, heights, strict=True):
        left = TILE_GAP_PIXELS
        for cell, width in zip(row, widths, strict=True):
            if isinstance(cell, str):
                _, text_height = measure_cell(cell, font)
                draw.multiline_text((left + 2, top + (height - text_height) // 2), cell, TEXT_COLOUR, font)
            else:
                page.paste(cell, (left, top))
            left += width + TILE_GAP_PIXELS
        top += height + TILE_GAP_PIXELS
    return page


def join_side_by_side(pictures: Sequence[Picture]) -> Picture:
    """Pictures of one height in a row, without gaps."""
    page = Image.new("RGB", (sum(picture.width for picture in pictures), pictures[0].height), PAGE_COLOUR)
    left = 0
    for picture in pictures:
        page.paste(picture, (left, 0))
        left += picture.width
    return page


def measure_cell(cell: Cell, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[int, int]:
    if not isinstance(cell, str):
        return cell.size
    if not cell:
        return (0, 0)
    lines = cell.splitlines()
    return (round(max(font.getlength(line) for line in lines)) + 6, (FONT_PIXELS + 5) * len(lines))
