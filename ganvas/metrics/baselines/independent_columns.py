"""Rows of a table whose columns have nothing to do with each other."""

import torch
from torch import Tensor

from ...configuration import config
from ...core import Codec, Dataset, PlainTableCodec


@config
class IndependentColumns:
    """Each cell is that of a random training row: perfect columns, and no dependence between them."""

    @property
    def name(self) -> str:
        return "independent columns"

    def applies_to(self, codec: Codec) -> bool:
        return isinstance(codec, PlainTableCodec) and len(codec.list_plain_columns()) > 1

    def draw(self, training: Dataset, n: int, generator: torch.Generator) -> Tensor:
        stored = training.columns["x"].cpu()
        rows = torch.randint(len(stored), (n, stored.shape[1]), generator=generator)
        return torch.stack([stored[rows[:, k], k] for k in range(stored.shape[1])], 1)
