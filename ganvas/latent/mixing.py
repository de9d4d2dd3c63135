"""Seeds as they are written, and styles of several mixed."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL.Image import Image as Picture

from ..errors import GanvasError
from ..pictures.table import table, tiles
from ..provenance import written
from ..runs.folder import Run
from ..sampling.generator import Generator, opened
from ..sampling.seeds import seeds as parse_seeds
from . import mixing


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


def mix(
    run: str | Path | Run,
    rows: str = "0-3",
    columns: str = "4-9",
    layers: str | None = None,
    *,
    out: str | Path | None = None,
    label: str | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Picture:
    """A picture of a style network's styles, mixed: what each row's seed makes with each column's styles in some layers.

    Args:
        rows, columns, layers: numbers and ranges, "0-3,7"; layers None is the finer half.
        out: a PNG to write; None writes none.

    Raises:
        GanvasError: no run, a generator without styles, seeds or layers that are none, a picture that cannot be written.
    """
    made = opened(run, checkpoint, device, label, truncation)
    taken = None if layers is None else parse_seeds(layers, "--layers")
    picture = mixing.mix_table(made, parse_seeds(rows, "--rows"), parse_seeds(columns, "--columns"), taken)
    return written(picture, out, made.note(f"{rows} with {columns}"))
