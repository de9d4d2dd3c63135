"""Rows of a table whose columns have nothing to do with each other."""

import torch
from torch import Tensor

from ...configuration import config
from ...core import Spec


@config
class IndependentColumns:
    """Each cell is that of a random training row: perfect columns, and no dependence between them."""

    @property
    def name(self) -> str:
        return "independent columns"

    def applies_to(self, spec: Spec) -> bool:
        return len(spec.shape) == 1 and len(spec.fields) > 1

    def draw(self, training: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """Training rows in stored form [M, C] -> [n, C]."""
        rows = torch.randint(len(training), (n, training.shape[1]), generator=generator)
        return torch.stack([training[rows[:, k], k] for k in range(training.shape[1])], 1)
