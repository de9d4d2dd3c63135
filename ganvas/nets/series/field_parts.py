"""The fields of a window's x in three parts: statics, ranges of columns within the window, and what changes by step."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from ...core import Field, Spec
from ...errors import GanvasError
from ..tables.field_sizes import FieldSizes, read_field_sizes


class FieldPart(NamedTuple):
    """Some fields, and where they lie in a step of x."""

    sizes: FieldSizes
    places: list[int]

    def activate(self, logits: Tensor) -> Tensor:
        """[N, width] -> numbers from 0 to 1: the softmax of each one-hot, the sigmoid of others."""
        return torch.cat([h.softmax(1) if is_hot else h.sigmoid() for h, is_hot in self.sizes.split(logits)], 1)

    def harden(self, x: Tensor) -> Tensor:
        """x [N, width] with one-hots in place of shares, without gradients."""
        parts = [_mark_largest(h) if is_hot else h for h, is_hot in self.sizes.split(x.detach())]
        return torch.cat(parts, 1)


class FieldParts(NamedTuple):
    """All fields of windows."""

    statics: FieldPart
    ranges: FieldPart
    steps: FieldPart
    end_place: int | None  # where the flag lies that says "alive", before "over"; None: all windows are full


def split_fields(spec: Spec) -> FieldParts:
    """The fields of windows (T, W).

    Raises:
        GanvasError: samples that are no windows, or fields that are neither one-hots nor numbers.
    """
    if len(spec.shape) != 2:
        raise GanvasError(f"these networks make windows of series, got samples of {spec.shape}: take a recipe for pictures")
    starts = list(accumulate((field.size for field in spec.fields), initial=0))[:-1]
    placed = list(zip(spec.fields, starts, strict=True))
    statics = [pair for pair in placed if pair[0].is_static and pair[0].scales is None]
    ranges = [pair for pair in placed if pair[0].is_static and pair[0].scales is not None]
    steps = [pair for pair in placed if not pair[0].is_static]
    ends = [start for field, start in placed if field.is_end]
    return FieldParts(_join_fields(statics), _join_fields(ranges), _join_fields(steps), ends[0] if ends else None)


def _join_fields(placed: Sequence[tuple[Field, int]]) -> FieldPart:
    fields = tuple(field for field, _ in placed)
    if not fields:
        return FieldPart(FieldSizes((), ()), [])
    sizes = read_field_sizes(Spec((sum(field.size for field in fields),), fields, {}))
    return FieldPart(sizes, [start + k for field, start in placed for k in range(field.size)])


def _mark_largest(shares: Tensor) -> Tensor:
    return torch.zeros_like(shares).scatter_(1, shares.argmax(1, keepdim=True), 1.0)
