"""A sheet of pictures with words below them."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture
from torch import Tensor

from ..image.codec import ImageCodec

TILE_SIDE, GAP, LINE_HEIGHT, FONT_SIZE = 128, 6, 13, 11  # px
MAX_LINES, MAX_CHARACTERS = 9, 22  # of words below a picture


def draw_described_pictures(codec: ImageCodec, stored: Tensor, words: Sequence[str]) -> Picture:
    """Pictures [N, H, W, C] in rows, each enlarged by a whole number, with lines of words below it."""
    tiles = [enlarge_picture(codec.preview(picture[None])) for picture in stored]
    lines = [text.split("\n")[:MAX_LINES] if text else [] for text in words]
    columns = max(1, math.ceil(math.sqrt(len(tiles))))
    width, height = (max(sides) for sides in zip(*(tile.size for tile in tiles), strict=True))
    row_height = height + LINE_HEIGHT * max(map(len, lines)) + GAP
    sheet = Image.new("RGB", (columns * (width + GAP), math.ceil(len(tiles) / columns) * row_height), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for k, (tile, text) in enumerate(zip(tiles, lines, strict=True)):
        left, upper = k % columns * (width + GAP), k // columns * row_height
        sheet.paste(tile, (left, upper))
        for number, line in enumerate(text):
            pen.text((left, upper + height + number * LINE_HEIGHT), line[:MAX_CHARACTERS], "black", font)
    return sheet


def enlarge_picture(picture: Picture) -> Picture:
    """The picture at about 128 px, each pixel a square."""
    zoom = TILE_SIDE / max(picture.size)
    size = (round(picture.width * zoom), round(picture.height * zoom))
    return picture.convert("RGB").resize(size, Image.Resampling.NEAREST if zoom >= 1 else Image.Resampling.LANCZOS)
