"""The condition of rows whose cells are partly known: the others are generated to fit them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...core import Spec
from .columns import ColumnCodec
from .where import parse_wishes

CELLS = "cells"  # the condition's name


class CellCodec(Protocol):
    """What the condition asks of the codec of a table."""

    @property
    def columns(self) -> tuple[ColumnCodec, ...]: ...
    @property
    def spec(self) -> Spec: ...
    @property
    def code_counts(self) -> Sequence[int]: ...  # of each column
    @property
    def code_weights(self) -> np.ndarray: ...  # the share of the rows that hold each code, of all columns
    def load_cells(self, codes: Tensor, is_known: Tensor, generator: torch.Generator | None) -> Tensor:
        """Codes int64 [N, C] and where they are known, bool [N, C] -> known cells, float32 [N, 2, W]."""
        ...


@dataclass(frozen=True)
class CellsCondition:
    """Known cells of a row, float32 [2, W]: the known parts of x, and 1 where they are known. Nothing is known by default.

    It follows from the codec, so it is not saved by itself.
    """

    codec: CellCodec

    @property
    def kind(self) -> str:
        return CELLS

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.codec.columns if column.fields)

    def parse(self, text: str) -> Tensor:
        """Wishes, one a line ("age=30..40") -> bool [K], which codes are allowed, of all columns one after the other.

        Raises:
            GanvasError: a wish that names no column or no value, or that no row can meet.
        """
        allowed = torch.ones(sum(list(self.codec.code_counts)), dtype=torch.bool)
        parts = allowed.split(list(self.codec.code_counts))
        for wish in parse_wishes(self.codec.columns, text):
            parts[wish.column].copy_(torch.from_numpy(wish.allowed))
        return allowed

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.zeros(n, 2, self.codec.spec.shape[0])

    def draw_within(self, request: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
        """Known cells [n, 2, W] with allowed codes only, each at its share in the data. Columns that allow all stay unknown."""
        codes = torch.zeros(n, len(self.codec.columns), dtype=torch.int64)
        is_known = torch.zeros(n, len(self.codec.columns), dtype=torch.bool)
        weights, counts = torch.from_numpy(self.codec.code_weights), list(self.codec.code_counts)
        for k, (allowed, shares) in enumerate(zip(request.split(counts), weights.split(counts), strict=True)):
            if not allowed.all():
                codes[:, k] = torch.multinomial(shares * allowed, n, replacement=True, generator=generator)
                is_known[:, k] = True
        return self.codec.load_cells(codes, is_known, generator)

    def describe(self) -> str:
        return f"what is known of {self.size} columns"
