"""How networks read and write the fields of a row: values drawn from shares, and ranks that count only beside some values."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...core import Field, Spec
from ...errors import GanvasError

LEAST_SHARE = 1e-5  # of a value that no sample holds; its logarithm is the start of a bias


class FieldGroup(NamedTuple):
    """Categorical fields of one size, whose values are drawn together."""

    size: int
    starts: tuple[int, ...]  # where each field begins in x


class RowFields(nn.Module):
    """The fields of rows [N, W]: where each lies in x, and which values decide whether another one counts."""

    order: Tensor  # of the parts of x among outputs, which come by groups
    grouped: Tensor  # the other way round
    where_ranks: Tensor
    where_values: Tensor
    data_shares: Tensor  # of each value in the data [W], with 0 for ranks

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        if len(spec.shape) != 1 or sum(field.size for field in spec.fields) != spec.shape[0]:
            raise GanvasError(f"these networks make rows of a table, got samples of {spec.shape}: take a recipe for pictures")
        self.width = spec.shape[0]
        self.starts = starts = dict(zip((field.name for field in spec.fields), _list_starts(spec.fields), strict=True))
        self.groups = list(_group_fields(spec.fields, starts))
        self.rank_places = [starts[field.name] for field in spec.fields if field.kind == "continuous"]
        places = [start + k for group in self.groups for start in group.starts for k in range(group.size)]
        self.register_buffer("order", torch.argsort(torch.tensor([*places, *self.rank_places])), persistent=False)
        self.register_buffer("grouped", torch.tensor([*places, *self.rank_places]), persistent=False)
        tied = [(starts[field.name], field.where) for field in spec.fields if field.where is not None]
        self.register_buffer("where_ranks", torch.tensor([place for place, _ in tied], dtype=torch.long), persistent=False)
        value_places = [starts[name] + value for _, (name, value) in tied]
        self.register_buffer("where_values", torch.tensor(value_places, dtype=torch.long), persistent=False)
        self.first_biases = _list_first_biases(spec.fields, self.groups, starts)
        shares = self.first_biases.exp()[self.order].index_fill(0, torch.tensor(self.rank_places, dtype=torch.long), 0.0)
        self.register_buffer("data_shares", shares, persistent=False)

    @property
    def draw_count(self) -> int:
        """How many uniform numbers a row needs: one for each categorical field."""
        return sum(len(group.starts) for group in self.groups)

    def compute_shares(self, outputs: Tensor) -> Tensor:
        """What a linear layer says of each row [N, W] -> the shares of all values, and ranks, in the order of x [N, W]."""
        parts, start = list[Tensor](), 0
        for size, starts in self.groups:
            count = len(starts)
            parts.append(outputs[:, start : start + count * size].unflatten(1, (count, size)).softmax(2).flatten(1))
            start += count * size
        return torch.cat([*parts, outputs[:, start:]], 1)[:, self.order]

    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        """What a linear layer says of each row [N, W] -> x [N, W]: one-hots and ranks.

        A value is drawn from the softmax of its field's outputs, by one uniform number u [N, draw_count]. Gradients are those
        of the softmax ("straight through"; Bengio et al. 2013).
        """
        parts, start, drawn = list[Tensor](), 0, 0
        for size, starts in self.groups:
            count = len(starts)
            shares = outputs[:, start : start + count * size].unflatten(1, (count, size)).softmax(2)
            values = draw_values(shares.detach(), u[:, drawn : drawn + count])
            parts.append((values + shares - shares.detach()).flatten(1))
            start, drawn = start + count * size, drawn + count
        x = torch.cat([*parts, outputs[:, start:]], 1)[:, self.order]
        return self.drop_ranks(x)

    def drop_ranks(self, x: Tensor) -> Tensor:
        """x with 0 for each rank that does not count, because another value than the rest was drawn."""
        if not len(self.where_ranks):
            return x
        counts = torch.ones_like(x).index_copy(1, self.where_ranks, x[:, self.where_values])
        return x * counts


def draw_values(shares: Tensor, u: Tensor) -> Tensor:
    """One-hots [N, F, K], each drawn from its shares [N, F, K] by a uniform number u [N, F]."""
    ends = shares.cumsum(2)
    index = (ends[..., :-1] <= u[..., None]).sum(2, keepdim=True)
    return torch.zeros_like(shares).scatter_(2, index, 1.0)


def _list_starts(fields: tuple[Field, ...]) -> Iterator[int]:
    start = 0
    for field in fields:
        yield start
        start += field.size


def _group_fields(fields: tuple[Field, ...], starts: dict[str, int]) -> Iterator[FieldGroup]:
    categorical = [field for field in fields if field.kind != "continuous"]
    for size in sorted({field.size for field in categorical}):
        yield FieldGroup(size, tuple(starts[field.name] for field in categorical if field.size == size))


def _list_first_biases(fields: tuple[Field, ...], groups: list[FieldGroup], starts: dict[str, int]) -> Tensor:
    """What a linear layer's biases start as, so that values are drawn at the data's shares: [W], in the order of groups."""
    shares_at = {starts[field.name]: field.shares for field in fields}
    shares = [
        share for group in groups for start in group.starts for share in (shares_at[start] or [1 / group.size] * group.size)
    ]
    ranks = sum(field.kind == "continuous" for field in fields)
    return torch.cat([torch.tensor(shares).clamp(min=LEAST_SHARE).log(), torch.zeros(ranks)])
