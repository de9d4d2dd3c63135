"""Ranks in [0, 1] as normal scores, as networks see them."""

import torch
from torch import Tensor

RANK_MARGIN = 5e-4  # ranks are squeezed by it at both ends, so that no normal score lies beyond 3.3


def score_ranks(ranks: Tensor) -> Tensor:
    """Ranks in [0, 1] as normal scores, from -3.3 to 3.3."""
    return torch.special.ndtri(RANK_MARGIN + (1 - 2 * RANK_MARGIN) * ranks)


def read_ranks(scores: Tensor) -> Tensor:
    """The inverse of `score_ranks`, clipped to [0, 1]."""
    return ((torch.special.ndtr(scores) - RANK_MARGIN) / (1 - 2 * RANK_MARGIN)).clamp(0, 1)
