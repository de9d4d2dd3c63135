"""Some rows of a data set's columns, which stay where they are: in memory, on a device or mapped from disk."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor


class SelectedRows(Mapping[str, Tensor]):
    """Columns [M, …] that are some rows of larger ones [N, …].

    Looking up a column copies its rows, which is fine for labels. For large columns, take only the rows that you need.

    Args:
        whole: the larger columns.
        rows: row numbers, int64 [M], on the CPU.
    """

    def __init__(self, whole: Mapping[str, Tensor], rows: Tensor) -> None:
        self.whole, self.rows = whole, rows

    def __getitem__(self, name: str) -> Tensor:
        column = self.whole[name]
        return column[self.rows.to(column.device)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)


def take_rows(columns: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    """Copies of some rows of every column. Row numbers are int64 [K] on the CPU."""
    if isinstance(columns, SelectedRows):
        return take_rows(columns.whole, columns.rows[rows])
    return {name: column[rows.to(column.device)] for name, column in columns.items()}


def select_rows(columns: Mapping[str, Tensor], rows: Tensor) -> SelectedRows:
    """Some rows of every column, which stay where they are. Row numbers are int64 [K] on the CPU."""
    if isinstance(columns, SelectedRows):
        return SelectedRows(columns.whole, columns.rows[rows])
    return SelectedRows(columns, rows)


def count_rows(columns: Mapping[str, Tensor]) -> int:
    return len(columns.rows) if isinstance(columns, SelectedRows) else len(columns["x"])


def get_storage(columns: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """(A whole column [N, …] without a copy, the numbers of its selected rows: int64 [M], on the CPU)."""
    if isinstance(columns, SelectedRows):
        return columns.whole[name], columns.rows
    return columns[name], torch.arange(len(columns[name]))


def move_columns(columns: Mapping[str, Tensor], device: torch.device | str) -> Mapping[str, Tensor]:
    """The columns on a device. Of selected rows, the whole columns move."""
    if isinstance(columns, SelectedRows):
        return SelectedRows(move_columns(columns.whole, device), columns.rows)
    return {name: column.to(device) for name, column in columns.items()}


def count_bytes(columns: Mapping[str, Tensor]) -> int:
    """The size of the whole columns."""
    whole = columns.whole if isinstance(columns, SelectedRows) else columns
    return sum(column.nbytes for column in whole.values())
