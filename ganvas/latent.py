"""Seeds as they are written, and styles of several mixed."""

import re
from collections.abc import Sequence

import torch
from PIL.Image import Image as Picture

from .errors import GanvasError
from .sampling import Generator
from .sheet import table, tiles

MOST = 64  # rows and columns of a picture at most


def seeds(text: str, what: str = "seeds", most: int = MOST) -> list[int]:
    """ "0-3,7" as [0, 1, 2, 3, 7]. Raises GanvasError for anything else, and for more than `most`."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})(?:\s*-\s*(\d{1,18}))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise GanvasError(f"{what} are numbers and ranges such as 0-3,7, got {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last - first + 1 + len(found) > most:
            raise GanvasError(f"{what} may be {most:,} at most, got {text!r}")
        found += range(first, last + 1)
    return found


def mix_table(made: Generator, rows: Sequence[int], columns: Sequence[int], layers: Sequence[int] | None = None) -> Picture:
    """A table: what each row's seed makes with the styles of each column's in some layers. Karras et al. 2019, figure 3.

    Args:
        layers: which layers take the column's style; None is the finer half.

    Raises:
        GanvasError: a generator without styles, or layers that it does not have.
    """
    if not made.styled:
        raise GanvasError("this run's generator has no styles to mix: stylegan, stylegan2 and stylegan3 have them")
    with torch.inference_mode():
        own, other = (made.coded(made.of_seeds(chosen))["ws"] for chosen in (rows, columns))
    count = own.shape[1]
    taken = list(range(count // 2, count)) if layers is None else list(layers)
    if not taken or not all(0 <= layer < count for layer in taken):
        raise GanvasError(f"the generator has layers 0 to {count - 1}, got {taken}: --layers {count // 2}-{count - 1}")
    whole = own[:, None].repeat(1, len(columns), 1, 1)  # [rows, columns, layers, w_dim]
    whole[:, :, taken] = other[None][:, :, taken]
    left, top, *lines = (tiles(made.codec, torch.cat(list(made.rendered({"ws": ws})))) for ws in (own, other, *whole))
    return table([["", *top], *([head, *line] for head, line in zip(left, lines, strict=True))])
