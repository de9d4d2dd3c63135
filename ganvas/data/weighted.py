"""Batches in which some rows are drawn more often than others, as their codec says."""

import weakref
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..configuration import config
from ..core import Dataset
from ..errors import GanvasError


@runtime_checkable
class WeighingCodec(Protocol):
    """A codec that knows how often each row should be drawn."""

    def weigh_rows(self, stored: Tensor) -> Tensor:
        """A weight for each row [N, …], float64 [N], 0 or more, on the CPU; only their ratios count."""
        ...


@config
class Weighted:
    """Rows with the probabilities that their codec gives them. CTGAN's training by sampling: Xu et al. 2019, section 4.3."""

    def draw_rows(self, data: Dataset, size: int, generator: torch.Generator) -> Tensor:
        """Raises GanvasError for data whose codec gives no weights."""
        totals = self._sum_weights(data)
        places = torch.rand(size, generator=generator, dtype=torch.float64) * totals[-1]
        return torch.searchsorted(totals, places, right=True).clamp(max=len(totals) - 1)

    def _sum_weights(self, data: Dataset) -> Tensor:
        """The running sum of all weights, float64 [N]: computed once for a data set."""
        known = self._last_sums.get("sums")
        if known is None or known[0]() is not data:
            if not isinstance(data.codec, WeighingCodec):
                raise GanvasError(f"{data.title} gives its rows no weights: take Uniform batches, or the medium TableModes")
            known = weakref.ref(data), data.codec.weigh_rows(data.columns["x"]).cpu().cumsum(0)
            self._last_sums["sums"] = known
        return known[1]

    @cached_property
    def _last_sums(self) -> "dict[str, tuple[weakref.ref[Dataset], Tensor]]":
        return {}
