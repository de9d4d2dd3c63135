"""The fields of a row as parts of one linear layer's output, and categories that a latent chooses."""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from ...core import Spec
from ...errors import GanvasError
from .fields import draw_values


class FieldSizes(NamedTuple):
    """The sizes of x's parts in their order, and which of them are one-hots."""

    sizes: tuple[int, ...]
    is_category: tuple[bool, ...]

    @property
    def width(self) -> int:
        return sum(self.sizes)

    @property
    def category_count(self) -> int:
        return sum(self.is_category)

    @property
    def number_count(self) -> int:
        """The width of all parts that are no one-hots."""
        return sum(size for size, is_category in zip(self.sizes, self.is_category, strict=True) if not is_category)

    def split(self, x: Tensor) -> Sequence[tuple[Tensor, bool]]:
        """The parts [N, size] of [N, W], and whether each is a one-hot."""
        return list(zip(x.split(self.sizes, 1), self.is_category, strict=True))


def read_field_sizes(spec: Spec) -> FieldSizes:
    """The fields of a spec. Samples without fields are numbers.

    Raises:
        GanvasError: fields that are neither one-hots nor numbers.
    """
    for field in spec.fields:
        if field.kind not in ("categorical", "continuous"):
            raise GanvasError(f"{field.name} is {field.kind}: these networks make categories and numbers; take another recipe")
    if not spec.fields or sum(field.size for field in spec.fields) != prod(spec.shape):
        return FieldSizes((prod(spec.shape),), (False,))
    return FieldSizes(tuple(f.size for f in spec.fields), tuple(f.kind == "categorical" for f in spec.fields))


def choose_categories(logits: Tensor, noise: Tensor) -> Tensor:
    """A one-hot [N, K] drawn from the softmax of logits [N, K]; the normal numbers [N] decide, so that a latent has one row."""
    return draw_values(logits.float().softmax(1)[:, None], torch.special.ndtr(noise.float())[:, None]).squeeze(1)
