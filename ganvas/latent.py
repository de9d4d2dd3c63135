"""What a trained generator's latents can be made to do: pictures of styles that are mixed."""

import re
from collections.abc import Sequence

import torch
from PIL import Image
from PIL.Image import Image as Picture
from torch import Tensor
from torch.nn.functional import interpolate

from .core import Latents, generator
from .errors import GanvasError
from .sampling import BLOCK, Generator, evaluating

TILE, GAP, MOST = 96, 2, 64  # pixels of a picture's tile and between two; rows and columns at most


def seeds(text: str, what: str = "seeds") -> list[int]:
    """ "0-3,7" as [0, 1, 2, 3, 7]. Raises GanvasError for anything else, and for more than a picture can show."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})(?:\s*-\s*(\d{1,18}))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise GanvasError(f"{what} are numbers and ranges such as 0-3,7, got {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last - first + 1 + len(found) > MOST:
            raise GanvasError(f"{what} may be {MOST} at most, got {text!r}")
        found += range(first, last + 1)
    return found


def of_seeds(made: Generator, chosen: Sequence[int]) -> Latents:
    """The latents of the first sample of each seed, as `generate --seed` draws them."""
    each = [made.method.latents(made.nets, BLOCK, generator(seed, "sample", 0), made.asked) for seed in chosen]
    device = next(made.nets["G"].parameters()).device
    return {name: torch.cat([latents[name][:1] for latents in each]).to(device) for name in each[0]}


@torch.inference_mode()
def mix(made: Generator, rows: Sequence[int], columns: Sequence[int], layers: Sequence[int] | None = None) -> Picture:
    """A table: what each row's seed makes with the styles of each column's in some layers. Karras et al. 2019, figure 3.

    Args:
        layers: which layers take the column's style; None is the finer half.

    Raises:
        GanvasError: a generator without styles, or layers that it does not have.
    """
    G = made.nets["G"]
    if not hasattr(G, "styles"):
        raise GanvasError("this run's generator has no styles to mix: stylegan, stylegan2 and stylegan3 have them")
    with evaluating(made.nets):
        made.method.render(made.nets, of_seeds(made, rows[:1]))  # what grows is as grown as the run is
        own, other = (G.styles(**of_seeds(made, chosen)) for chosen in (rows, columns))  # type: ignore[operator]
        count = own.shape[1]
        taken = list(range(count // 2, count)) if layers is None else list(layers)
        if not taken or not all(0 <= layer < count for layer in taken):
            raise GanvasError(f"the generator has layers 0 to {count - 1}, got {taken}: --layers {count // 2}-{count - 1}")
        whole = own[:, None].repeat(1, len(columns), 1, 1)
        whole[:, :, taken] = other[None][:, :, taken]
        size = made.codec.spec.shape[1:]
        images = [interpolate(G.synthesis(ws), size, mode="nearest") for ws in (own, other, *whole)]  # type: ignore[operator]
        parts = [made.codec.store(x) for x in images]
    return table([tile(made, stored) for stored in parts[0]], [[tile(made, s) for s in part] for part in parts[1:]])


def tile(made: Generator, stored: Tensor) -> Picture:
    picture = made.codec.preview(stored[None])
    return picture.resize((TILE, TILE), Image.Resampling.BOX if picture.width > TILE else Image.Resampling.NEAREST)


def table(heads: list[Picture], lines: list[list[Picture]]) -> Picture:
    """The first line above everything, the heads at the left of the others."""
    step = TILE + GAP
    size = ((len(lines[0]) + 1) * step + GAP, len(lines) * step + GAP)
    sheet = Image.new("RGB", size, "white")
    for row, line in enumerate(lines):
        for column, picture in enumerate(line):
            sheet.paste(picture, ((column + 1) * step + GAP, row * step + (GAP if row else 0)))
        if row:
            sheet.paste(heads[row - 1], (0, row * step + GAP))
    return sheet
