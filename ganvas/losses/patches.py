"""Logits of patches, as one number a sample."""

from torch import Tensor


def sum_patches(logits: Tensor) -> Tensor:
    """[N, …] -> [N], their sum, whose gradient the gradient penalties look at."""
    return logits if logits.dim() == 1 else logits.flatten(1).sum(1)


def average_patches(values: Tensor) -> Tensor:
    """[N, …] -> [N], their mean."""
    return values if values.dim() == 1 else values.flatten(1).mean(1)
