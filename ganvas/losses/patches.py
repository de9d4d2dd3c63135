"""Reduce the logits of patches to one number per sample."""

from torch import Tensor


def sum_patches(logits: Tensor) -> Tensor:
    """[N, …] -> [N], their sum; gradient penalties use its gradient."""
    return logits if logits.dim() == 1 else logits.flatten(1).sum(1)


def average_patches(values: Tensor) -> Tensor:
    """[N, …] -> [N], their mean."""
    return values if values.dim() == 1 else values.flatten(1).mean(1)
