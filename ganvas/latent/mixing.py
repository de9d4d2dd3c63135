"""Style mixing: samples with the styles of two seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL.Image import Image as Picture

from ..errors import GanvasError
from ..pictures.table import draw_table, draw_tiles
from ..provenance import save_marked_picture
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler, open_sampler
from ..sampling.seeds import parse_number_list as parse_seeds
from . import mixing


def build_mix_picture(
    sampler: Sampler, rows: Sequence[int], columns: Sequence[int], layers: Sequence[int] | None = None
) -> Picture:
    """A table: each row's seed with the styles of each column's seed in some layers. Karras et al. 2019, figure 3.

    Args:
        layers: which layers take the column's style; None is the finer half.

    Raises:
        GanvasError: a generator without styles, or layers that it does not have.
    """
    sampler.require_codes()
    if not sampler.has_styles:
        raise GanvasError("this run's generator has no styles to mix: stylegan, stylegan2 and stylegan3 have them")
    with torch.inference_mode():
        row_styles, column_styles = (
            sampler.map_to_code_space(sampler.latents_of_seeds(side))["ws"] for side in (rows, columns)
        )
    count = row_styles.shape[1]
    column_layers = list(range(count // 2, count)) if layers is None else list(layers)
    if not column_layers or not all(0 <= layer < count for layer in column_layers):
        raise GanvasError(f"the generator has layers 0 to {count - 1}, got {column_layers}: --layers {count // 2}-{count - 1}")
    mixed_styles = row_styles[:, None].repeat(1, len(columns), 1, 1)  # [rows, columns, layers, w_dim]
    mixed_styles[:, :, column_layers] = column_styles[None][:, :, column_layers]
    left, top, *lines = (
        draw_tiles(sampler.codec, torch.cat(list(sampler.render_stored({"ws": ws}))))
        for ws in (row_styles, column_styles, *mixed_styles)
    )
    return draw_table([["", *top], *([head, *line] for head, line in zip(left, lines, strict=True))])


def mix(
    run: str | Path | RunFolder,
    rows: str = "0-3",
    columns: str = "4-9",
    layers: str | None = None,
    *,
    out: str | Path | None = None,
    conditions: Mapping[str, str] | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Picture:
    """A picture of mixed styles: each row's seed with the styles of each column's seed in some layers.

    Args:
        rows, columns, layers: numbers and ranges, "0-3,7"; layers None is the finer half.
        out: a PNG to write; None writes nothing.

    Raises:
        GanvasError: no run, a generator without styles, invalid seeds or layers, a picture that cannot be written.
    """
    sampler = open_sampler(run, checkpoint, device, conditions, truncation)
    layer_numbers = None if layers is None else parse_seeds(layers, "--layers")
    picture = mixing.build_mix_picture(sampler, parse_seeds(rows, "--rows"), parse_seeds(columns, "--columns"), layer_numbers)
    return save_marked_picture(picture, out, sampler.describe_provenance(f"{rows} with {columns}"))
