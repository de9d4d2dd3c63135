"""How discrete values lie in samples: a sequence of letters, or a row of several categories."""

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...core import Spec
from ...errors import GanvasError


class TokenLayout(nn.Module):
    """Positions with one value each. Their values are numbered through: a *token* is one of them.

    A sequence [T, V] has the same V values at all T positions. A row [W] has other values at each position.

    Raises:
        GanvasError: a spec with other fields than categorical ones.
    """

    is_allowed: Tensor  # [T, V]: which tokens each position can have

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        others = [field.name for field in spec.fields if field.kind != "categorical"]
        if others or not spec.fields:
            reason = f"{others[0]} is none: leave it out, or take the recipe table" if others else "these samples have none"
            raise GanvasError(f"these networks draw categories and letters alone, and {reason}")
        sizes = [field.size for field in spec.fields]
        self.is_sequence = len(spec.shape) == 2
        if self.is_sequence and len(sizes) > 1:
            raise GanvasError(f"these networks draw sequences of one category, got {len(sizes)}: leave out the others")
        self.end = spec.fields[0].end if self.is_sequence else None
        allowed = (
            torch.ones(spec.shape[0], sizes[0]) if self.is_sequence else torch.block_diag(*(torch.ones(1, s) for s in sizes))
        )
        self.positions, self.values = allowed.shape
        self.register_buffer("is_allowed", allowed.bool(), persistent=False)

    def encode_tokens(self, tokens: Tensor) -> Tensor:
        """int64 [N, T] -> x [N, T, V] or [N, W], of zeros and ones."""
        hot = one_hot(tokens, self.values).float()
        return hot if self.is_sequence else hot.sum(1)

    def read_tokens(self, x: Tensor) -> Tensor:
        """The tokens of x, int64 [N, T]."""
        return self.split_positions(x).argmax(2)

    def split_positions(self, x: Tensor) -> Tensor:
        """x -> [N, T, V], without changing gradients."""
        return x if self.is_sequence else x.unsqueeze(1) * self.is_allowed

    def find_running(self, tokens: Tensor) -> Tensor:
        """Which positions [N, T] count: those up to the first end, with it."""
        if self.end is None:
            return torch.ones_like(tokens, dtype=torch.bool)
        is_end = (tokens == self.end).long()
        return is_end.cumsum(1) - is_end == 0


def find_longest(is_running: Tensor) -> int:
    """The number of positions that count in any sample [N, T]."""
    return max(1, int(is_running.any(0).sum()))
