"""Grey pictures coloured by a table: the mean chroma of each brightness."""

from collections.abc import Callable

import torch
from torch import Tensor

from ...configuration import config
from ...core import Batch, Spec
from ...errors import require
from .sources import SOURCE, compute_source_luma, read_translation_shapes

BLUE_SCALE, RED_SCALE = 2 * (1 - 0.114), 2 * (1 - 0.299)  # ITU-R BT.601: Cb = (B − Y) / 1.772, Cr = (R − Y) / 1.402


@config
class MeanChroma:
    """Each place has the mean chroma that training samples have at its brightness; the brightness stays.

    Where this table alone does well, as on satellite pictures, the data does not test a colouriser.

    bins: steps of brightness in the table.
    """

    bins: int = 64

    def __post_init__(self) -> None:
        require(self.bins >= 1, "bins", self.bins, "1 or more")

    @property
    def name(self) -> str:
        return "mean-chroma"

    def applies_to(self, spec: Spec) -> bool:
        shapes = read_translation_shapes(spec)
        return shapes is not None and shapes.keeps_size and (shapes.source[0], shapes.x[0]) == (1, 3)

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        x = training["x"].double()
        luma = compute_source_luma(x)
        places = self._find_bins(luma).flatten()
        counts = torch.bincount(places, minlength=self.bins).clamp(min=1)
        chroma = ((x[:, 2:] - luma) / BLUE_SCALE, (x[:, :1] - luma) / RED_SCALE)
        tables = [(torch.bincount(places, part.flatten(), self.bins) / counts).float() for part in chroma]

        def colour(batch: Batch) -> Tensor:
            luma = batch[SOURCE]
            cb, cr = (table[self._find_bins(luma)] for table in tables)
            return merge_chroma(luma, cb, cr).clamp(-1, 1)

        return colour

    def _find_bins(self, luma: Tensor) -> Tensor:
        return ((luma + 1) * (self.bins / 2)).long().clamp(0, self.bins - 1)


def merge_chroma(luma: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
    """Y, Cb and Cr [N, 1, H, W] in one range -> RGB [N, 3, H, W]."""
    red, blue = luma + RED_SCALE * cr, luma + BLUE_SCALE * cb
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return torch.cat([red, green, blue], 1)
