"""Choose the rows of a data set for a batch."""

import torch
from torch import Tensor

from ..configuration import config
from ..core import Dataset
from ..errors import GanvasError, require


@config
class Uniform:
    """All rows with equal probability, drawn with replacement."""

    def draw_rows(self, data: Dataset, size: int, generator: torch.Generator) -> Tensor:
        return torch.randint(len(data), (size,), generator=generator)


@config
class Balanced:
    """All classes of a condition with equal probability, even if some are rare in the data."""

    condition: str = "label"

    def draw_rows(self, data: Dataset, size: int, generator: torch.Generator) -> Tensor:
        labels = data.columns.get(self.condition)
        if labels is None or labels.dim() != 1:
            raise GanvasError(
                f"balanced batches need classes named {self.condition!r}, but {data.title} has none: take Uniform batches"
            )
        order, counts = labels.cpu().argsort(stable=True), torch.bincount(labels.cpu())
        present = counts.nonzero().flatten()
        classes = present[torch.randint(len(present), (size,), generator=generator)]
        places = (torch.rand(size, generator=generator, dtype=torch.float64) * counts[classes]).long()
        return order[(counts.cumsum(0) - counts)[classes] + places]


@config
class Poisson:
    """Each row joins a batch by chance and for itself, so a batch has `size` rows on average. Private training counts on it."""

    def draw_rows(self, data: Dataset, size: int, generator: torch.Generator) -> Tensor:
        require(size <= len(data), "batch", size, f"at most {len(data):,}, all rows of {data.title}")
        return (torch.rand(len(data), generator=generator, dtype=torch.float64) < size / len(data)).nonzero().squeeze(1)
