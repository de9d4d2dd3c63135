"""Sums of clipped gradients over a batch that is too large to compute at once."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from ..core import Batch
from ..privacy import clip_gradients, record_linear_layers


def sum_clipped_gradients(
    network: nn.Module, losses: Callable[[Batch], Tensor], parts: Iterable[Batch], clip: float
) -> dict[str, Tensor]:
    """The sum of each sample's clipped gradient over all parts, by parameter name.

    It computes in float32 whatever the precision of training is, because a norm that is wrong breaks the promise.
    """
    sums: dict[str, Tensor] = {}
    for part in parts:
        with record_linear_layers(network) as uses, torch.autocast(next(network.parameters()).device.type, enabled=False):
            clipped = clip_gradients(network, uses, losses(part), clip)
        sums = {name: sums[name] + total if sums else total for name, total in clipped.sums.items()}
    return sums


def split_batch(batch: Batch, size: int) -> Iterator[Batch]:
    """Parts of a batch of up to `size` samples; of an empty one, itself."""
    for start in range(0, max(1, len(batch["x"])), size):
        yield {name: value[start : start + size] for name, value in batch.items()}
