"""Windows of series whose columns have nothing to do with each other."""

import torch
from torch import Tensor

from ...configuration import config
from ...core import Codec, Dataset, PlainSeriesCodec


@config
class ShuffledColumns:
    """Each column of a window is that of a random training window: perfect columns, and no dependence between them."""

    @property
    def name(self) -> str:
        return "shuffled columns"

    def applies_to(self, codec: Codec) -> bool:
        return isinstance(codec, PlainSeriesCodec) and len(codec.list_plain_series()) > 1

    def draw(self, training: Dataset, n: int, generator: torch.Generator) -> Tensor:
        stored = training.columns["x"]
        windows = torch.randint(len(stored), (n, stored.shape[2]), generator=generator)
        columns = [take_series_column(stored, windows[:, k], k) for k in range(stored.shape[2])]
        return torch.stack(columns, 2)


def take_series_column(stored: Tensor, windows: Tensor, column: int) -> Tensor:
    """One column of some windows [N, T, C] -> [n, T], on the CPU."""
    return stored[windows.to(stored.device)][..., column].cpu()
