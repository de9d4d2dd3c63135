"""A table of rows as scores and attacks see it: codes of categories, and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import GanvasError

ValueKind = Literal["category", "number"]
MISSING_NUMBER = -1e300  # in place of NaN, where rows are features of a score


@dataclass(frozen=True, eq=False)
class PlainTable:
    """Rows of named columns. Tables that are compared share names, kinds, order, and the meaning of codes.

    A category's values are codes, int64, 0 or more: numbers in one list of categories for all tables; a missing one is a
    category too. A number's values are float64, and NaN where missing.

    Raises:
        GanvasError: columns that do not fit together, negative codes, infinite numbers, two columns of one name.
    """

    names: tuple[str, ...]
    kinds: tuple[ValueKind, ...]
    values: tuple[np.ndarray, ...]  # each [N]

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.kinds) == len(self.values) > 0:
            raise GanvasError(f"a table needs names, kinds and values of the same columns, got {[*map(len, self._parts())]}")
        if len(set(self.names)) < len(self.names):
            raise GanvasError(f"two columns of a table have one name, among {', '.join(self.names)}: rename one")
        for name, kind, values in zip(*self._parts(), strict=True):
            self._check_column(name, kind, values)

    def __len__(self) -> int:
        return len(self.values[0])

    def take(self, rows: np.ndarray | slice) -> "PlainTable":
        """The table of these rows: their numbers, a mask or a slice."""
        return PlainTable(self.names, self.kinds, tuple(values[rows] for values in self.values))

    def select(self, columns: Sequence[int]) -> "PlainTable":
        """The table of these columns, in this order."""
        names, kinds, values = self._parts()
        return PlainTable(tuple(names[c] for c in columns), tuple(kinds[c] for c in columns), tuple(values[c] for c in columns))

    def draw(self, rows: int, rng: np.random.Generator) -> "PlainTable":
        """This many rows at random, each at most once, in their old order; all if there are no more."""
        return self if rows >= len(self) else self.take(np.sort(rng.choice(len(self), rows, replace=False)))

    def list_features(self) -> np.ndarray:
        """All values as float64 [N, C], with MISSING_NUMBER for missing numbers."""
        return np.nan_to_num(np.stack([values.astype(np.float64) for values in self.values], 1), nan=MISSING_NUMBER)

    def find_column(self, name: str) -> int:
        """The number of a column.

        Raises:
            GanvasError: no column has this name.
        """
        if name not in self.names:
            raise GanvasError(f"the table has no column {name!r}; it has {', '.join(self.names)}")
        return self.names.index(name)

    def _parts(self) -> tuple[tuple[str, ...], tuple[ValueKind, ...], tuple[np.ndarray, ...]]:
        return self.names, self.kinds, self.values

    def _check_column(self, name: str, kind: str, values: np.ndarray) -> None:
        if values.shape != self.values[0].shape or values.ndim != 1:
            raise GanvasError(f"column {name} has the shape {values.shape}, and the first column {self.values[0].shape}")
        dtype = {"category": np.int64, "number": np.float64}.get(kind)
        if dtype is None or values.dtype != dtype:
            raise GanvasError(f"column {name} is a {kind} of {values.dtype}: categories are int64 and numbers float64")
        if kind == "category" and len(values) and values.min() < 0:
            raise GanvasError(f"column {name} holds the code {values.min()}: codes start at 0, and missing is a code too")
        if kind == "number" and np.isinf(values).any():
            raise GanvasError(f"column {name} holds infinite numbers: take NaN for what is missing")


def check_same_columns(*tables: PlainTable, min_rows: int = 1) -> None:
    """Raise GanvasError unless tables have the same columns, and `min_rows` rows or more."""
    for table in tables:
        if (table.names, table.kinds) != (tables[0].names, tables[0].kinds):
            raise GanvasError(f"tables to compare have other columns: {_describe(tables[0])} and {_describe(table)}")
        if len(table) < min_rows:
            raise GanvasError(f"a table of {len(table)} rows is too small to compare: at least {min_rows} are needed")


def _describe(table: PlainTable) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in zip(table.names, table.kinds, strict=True))
