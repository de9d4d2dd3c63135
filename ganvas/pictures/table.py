"""Tables of pictures with words beside them: what people look at."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Codec

TILE, GAP, SIZE = 96, 2, 13  # pixels: of a tile, between two, and of letters
INK, PAPER = (24, 24, 24), (255, 255, 255)
Cell = Picture | str


def tile(codec: Codec, stored: Tensor, size: int = TILE) -> Picture:
    """One sample [H, W, C] as a picture of a tile's size: enlarged pixel by pixel, or averaged."""
    picture = codec.preview(stored[None])
    return picture.resize((size, size), Image.Resampling.BOX if picture.width > size else Image.Resampling.NEAREST)


def tiles(codec: Codec, stored: Tensor) -> list[Picture]:
    return [tile(codec, sample) for sample in stored]


def table(rows: Sequence[Sequence[Cell]]) -> Picture:
    """Pictures and words in rows and columns; a column is as wide, and a row as high, as what is in it needs."""
    font = ImageFont.load_default(SIZE)
    columns = max(len(row) for row in rows)
    cells = [[*row, *([""] * (columns - len(row)))] for row in rows]
    sizes = [[size_of(cell, font) for cell in row] for row in cells]
    widths = [max(row[k][0] for row in sizes) for k in range(columns)]
    heights = [max(height for _, height in row) for row in sizes]
    page = Image.new("RGB", (sum(widths) + GAP * (columns + 1), sum(heights) + GAP * (len(rows) + 1)), PAPER)
    draw, top = ImageDraw.Draw(page), GAP
    for row, height in zip(cells, heights, strict=True):
        left = GAP
        for cell, width in zip(row, widths, strict=True):
            if isinstance(cell, str):
                _, own = size_of(cell, font)
                draw.multiline_text((left + 2, top + (height - own) // 2), cell, INK, font)
            else:
                page.paste(cell, (left, top))
            left += width + GAP
        top += height + GAP
    return page


def size_of(cell: Cell, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[int, int]:
    if not isinstance(cell, str):
        return cell.size
    if not cell:
        return (0, 0)
    lines = cell.splitlines()
    return (round(max(font.getlength(line) for line in lines)) + 6, (SIZE + 5) * len(lines))
