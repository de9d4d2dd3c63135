"""Windows of series as items (core.SeriesItems)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core import ColumnSurvey
from ..tables.table_rows import RowNames


@dataclass(eq=False)
class WindowItems:
    """Windows of a table's rows. An item is a pyarrow.Table of up to `window` rows that follow each other."""

    table: Any
    surveys: tuple[ColumnSurvey, ...]
    series: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    window: int
    key: str | None
    statics: tuple[str, ...]
    fingerprint: str
    title: str
    notes: tuple[str, ...] = ()
    label_notes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    names: Sequence[str] = field(init=False)  # a name for each window, for messages

    def __post_init__(self) -> None:
        self.names = RowNames(self.title.partition(" (")[0], len(self), "window")

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.table.slice(int(self.starts[index]), int(self.lengths[index]))
