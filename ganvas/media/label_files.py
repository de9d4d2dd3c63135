"""Reading maps of labels from files and arrays, and palettes from tables."""

import csv
import io
import re
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image as Pillow

from ..errors import GanvasError
from .image.picture import open_picture

MAX_CLASSES = 256  # a class is stored as a byte
MAX_PALETTE_BYTES = 2**20
JPEG_SIGNATURE = b"\xff\xd8"
INDEX_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")  # Pillow's names for pictures of one number a pixel
LabelKind = Literal["index", "colour"]


class MapPalette(NamedTuple):
    """The classes of maps that are written in colours."""

    names: tuple[str, ...] = ()
    colours: tuple[int, ...] = ()  # red * 65536 + green * 256 + blue


def read_label_values(item: bytes | np.ndarray, kind: LabelKind | None = None) -> tuple[np.ndarray, LabelKind]:
    """A map's labels as they are written, int32 [H, W], and how: indices, or colours as one number.

    Args:
        kind: how to read it; None takes palette and gray pictures for indices, and others for colours.

    Raises:
        GanvasError: no picture, a JPEG, or colours where indices are asked for.
    """
    size = open_picture(item).size
    if isinstance(item, np.ndarray):
        values = item[..., 0] if item.ndim == 3 and item.shape[2] == 1 else item
    else:
        values = _read_pixels(item, kind)
    if values.ndim == 2 and kind != "colour":
        return values.astype(np.int32), "index"
    if kind == "index":
        raise GanvasError("holds colours, not indices: name the palette that gives each colour its class")
    if values.ndim == 2:
        values = values[..., None].repeat(3, 2)
    if values.shape[:2] != size[::-1] or values.shape[2] < 3 or values.dtype != np.uint8:
        raise GanvasError(
            f"is an array of shape {values.shape}, not a map of labels: it should be [H, W], or [H, W, 3] of uint8"
        )
    red, green, blue = (values[..., k].astype(np.int32) for k in range(3))
    return red << 16 | green << 8 | blue, "colour"


def _read_pixels(data: bytes, kind: LabelKind | None) -> np.ndarray:
    if data.startswith(JPEG_SIGNATURE):
        raise GanvasError("is a JPEG, which changes labels at every edge: save maps of labels as PNG")
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            if picture.mode in INDEX_MODES and kind != "colour":
                return np.asarray(picture.convert("L") if picture.mode == "1" else picture)
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise GanvasError(f"broken image ({error})") from None


def describe_value(value: int, kind: LabelKind) -> str:
    """ "17", or "#ff8000" """
    return f"#{value:06x}" if kind == "colour" else str(value)


def read_palette(path: Path) -> MapPalette:
    """A table with a line for each class: its name and its colour, as "name,255,128,0" or "name,#ff8000".

    The first line may be a header. Raises GanvasError for anything else, and for a colour that occurs twice.
    """
    try:
        data = path.expanduser().read_bytes()
        if len(data) > MAX_PALETTE_BYTES:
            raise GanvasError(f"{path} is larger than {MAX_PALETTE_BYTES // 2**20} MB: a palette has a line for each class")
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if row]
    except OSError as error:
        raise GanvasError(f"{path} cannot be read ({error.strerror or error}): give the path of a table of colours") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise GanvasError(f"{path} cannot be read ({error}): save it as comma-separated values in UTF-8") from None
    if rows and _parse_colour(rows[0][1:]) is None:
        rows = rows[1:]
    names, colours = list[str](), list[int]()
    for row in rows:
        colour = _parse_colour(row[1:])
        if colour is None or colour in colours:
            fault = "is no class" if colour is None else "has a colour of another class"
            raise GanvasError(f"{path}: the line {','.join(row)} {fault}: write a name and a colour, such as tree,0,128,0")
        names.append(row[0])
        colours.append(colour)
    if not 2 <= len(colours) <= MAX_CLASSES:
        raise GanvasError(f"{path} has {len(colours)} classes: a palette has 2 to {MAX_CLASSES}")
    return MapPalette(tuple(names), tuple(colours))


def _parse_colour(cells: list[str]) -> int | None:
    if len(cells) == 1 and re.fullmatch(r"#?[0-9a-fA-F]{6}", cells[0]):
        return int(cells[0].removeprefix("#"), 16)
    if len(cells) == 3 and all(cell.isdecimal() and int(cell) < 256 for cell in cells):
        return int(cells[0]) << 16 | int(cells[1]) << 8 | int(cells[2])
    return None
