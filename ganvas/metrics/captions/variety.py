"""How much the pictures of one caption differ."""

from collections.abc import Sequence

import torch
from torch import Tensor


def measure_variety(groups: Sequence[Tensor]) -> float | None:
    """The mean distance of two samples of a group, of groups [n, D]; None if no group has two samples."""
    distances = [torch.pdist(group.double()).mean() for group in groups if len(group) > 1]
    return float(torch.stack(distances).mean()) if distances else None
