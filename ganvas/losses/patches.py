"""The logits of patches as one number per sample: their mean, which objectives average and penalties differentiate."""

from torch import Tensor


def average_patches(values: Tensor) -> Tensor:
    """[N, …] -> [N], their mean."""
    return values if values.dim() == 1 else values.flatten(1).mean(1)
