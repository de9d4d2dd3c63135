"""Some rows of a data set's columns, which stay where they are: in memory, on a device or mapped from disk."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import torch
from torch import Tensor

Index = TypeVar("Index", int, Tensor)


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


class UnpairedColumns(Mapping[str, Tensor]):
    """Columns [N, …] of sides without pairs. Side "x" says how many rows there are; the others have lengths of their own.

    For evaluation every row has one row of the other sides (`match_rows`); batches draw each side by itself.

    Args:
        sides: for "x" and each column without a partner its own columns, in which it is called "x".
    """

    def __init__(self, sides: Mapping[str, Mapping[str, Tensor]]) -> None:
        self.sides = sides

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.sides:
            return self.sides["x"][name]
        rows = match_rows(torch.arange(count_rows(self)), count_rows(self), count_rows(self.sides[name]))
        return take_rows(self.sides[name], rows)["x"]

    def __iter__(self) -> Iterator[str]:
        yield from self.sides["x"]
        yield from (name for name in self.sides if name != "x")

    def __len__(self) -> int:
        return len(list(iter(self)))


def match_rows(rows: Index, total: int, side_total: int) -> Index:
    """For rows of `total` those of a side with `side_total`: a shorter side repeats, and a longer one is evenly spaced."""
    return rows * max(total, side_total) // total % side_total


def list_sides(columns: Mapping[str, Tensor]) -> Mapping[str, Mapping[str, Tensor]]:
    """Columns whose rows belong together, by the name of their first one; usually all belong to "x"."""
    return columns.sides if isinstance(columns, UnpairedColumns) else {"x": columns}


def join_sides(sides: Mapping[str, Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
    """The columns of `list_sides`."""
    return UnpairedColumns(sides) if len(sides) > 1 else sides["x"]


def take_rows(columns: Mapping[str, Tensor], rows: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """Copies of some rows of every column. Row numbers are int64 [K] on the CPU.

    generator: on the CPU; with it, sides without pairs take random rows, with equal probability.
    """
    if isinstance(columns, SelectedRows):
        return take_rows(columns.whole, columns.rows[rows])
    if isinstance(columns, UnpairedColumns):
        taken_rows, total = take_rows(columns.sides["x"], rows), count_rows(columns)
        for name, side in columns.sides.items():
            if name != "x":
                count = count_rows(side)
                is_drawn = generator is not None
                side_rows = (
                    torch.randint(count, (len(rows),), generator=generator) if is_drawn else match_rows(rows, total, count)
                )
                taken_rows[name] = take_rows(side, side_rows)["x"]
        return taken_rows
    return {name: column[rows.to(column.device)] for name, column in columns.items()}


def select_rows(columns: Mapping[str, Tensor], rows: Tensor) -> Mapping[str, Tensor]:
    """Some rows of every column, which stay where they are. Row numbers are int64 [K] on the CPU."""
    if isinstance(columns, SelectedRows):
        return SelectedRows(columns.whole, columns.rows[rows])
    if isinstance(columns, UnpairedColumns):
        total = count_rows(columns)
        return UnpairedColumns(
            {name: select_rows(side, match_rows(rows, total, count_rows(side))) for name, side in columns.sides.items()}
        )
    return SelectedRows(columns, rows)


def find_other_rows(rows: Tensor, total: int) -> Tensor:
    """The rows of `total` that are not among `rows`, rising."""
    is_other = torch.ones(total, dtype=torch.bool)
    is_other[rows] = False
    return is_other.nonzero().flatten()


def count_rows(columns: Mapping[str, Tensor]) -> int:
    if isinstance(columns, UnpairedColumns):
        return count_rows(columns.sides["x"])
    return len(columns.rows) if isinstance(columns, SelectedRows) else len(columns["x"])


def get_storage(columns: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """(A whole column [N, …] without a copy, the numbers of its selected rows: int64 [M], on the CPU)."""
    if isinstance(columns, UnpairedColumns):
        return get_storage(columns.sides[name], "x") if name in columns.sides else get_storage(columns.sides["x"], name)
    if isinstance(columns, SelectedRows):
        return columns.whole[name], columns.rows
    return columns[name], torch.arange(len(columns[name]))


def move_columns(columns: Mapping[str, Tensor], device: torch.device | str) -> Mapping[str, Tensor]:
    """The columns on a device. Of selected rows, the whole columns move."""
    if isinstance(columns, UnpairedColumns):
        return UnpairedColumns({name: move_columns(side, device) for name, side in columns.sides.items()})
    if isinstance(columns, SelectedRows):
        return SelectedRows(move_columns(columns.whole, device), columns.rows)
    return {name: column.to(device) for name, column in columns.items()}


def count_bytes(columns: Mapping[str, Tensor]) -> int:
    """The size of the whole columns."""
    if isinstance(columns, UnpairedColumns):
        return sum(map(count_bytes, columns.sides.values()))
    whole = columns.whole if isinstance(columns, SelectedRows) else columns
    return sum(column.nbytes for column in whole.values())
