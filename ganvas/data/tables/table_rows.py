"""The rows of a table as items: one row by its number, or all of them block by block."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np

from ...core import ColumnSurvey
from ...errors import require
from ...system.arrow import import_arrow
from ...system.files import repair_text
from ..items import MIN_DATASET_SAMPLES, fingerprint_parts
from .sampling import RowSample
from .survey import survey_table


class RowNames(Sequence[str]):
    """ "people.csv row 1" and so on, without a list of them all."""

    def __init__(self, title: str, count: int, noun: str = "row") -> None:
        self.title, self.row_count, self.noun = title, count, noun

    def __len__(self) -> int:
        return self.row_count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.row_count))]
        if not 0 <= index < self.row_count:
            raise IndexError(index)
        return f"{self.title} {self.noun} {index + 1}"


@dataclass
class TableRows:
    """The rows of a table (core.TableItems). A row is a mapping of Python values by the columns' names; None is missing."""

    read_all_blocks: Callable[[], Iterator[Any]]
    count: int
    sample: Any  # pyarrow.Table
    surveys: tuple[ColumnSurvey, ...]
    fingerprint: str
    title: str
    notes: tuple[str, ...] = ()
    label_notes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    names: Sequence[str] = field(init=False, repr=False, compare=False)  # a name for each row, for messages
    _position: "_Position | None" = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.title, self.notes = repair_text(self.title), tuple(map(repair_text, self.notes))
        self.names = RowNames(self.title.partition(" (")[0], self.count)

    def read_blocks(self) -> Iterator[Any]:
        """All rows in their order (pyarrow.RecordBatch)."""
        return self.read_all_blocks()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        """One row. Rows in order cost little; for an earlier one, the table is read again from its start."""
        if not 0 <= index < self.count:
            raise IndexError(index)
        if self._position is None or index < self._position.start:
            self._position = _Position(self.read_blocks())
        return self._position.read_row(index)


class _Position:
    """How far a table has been read: the block that is at hand, and the number of its first row."""

    def __init__(self, blocks: Iterator[Any]) -> None:
        self.blocks, self.start = blocks, 0
        self.block = next(blocks)

    def read_row(self, index: int) -> Mapping[str, Any]:
        while index >= self.start + self.block.num_rows:
            self.start += self.block.num_rows
            self.block = next(self.blocks)
        return _lower_precision_of_times(self.block.slice(index - self.start, 1)).to_pylist()[0]


def _lower_precision_of_times(block: Any) -> Any:
    """The block with times in microseconds instead of nanoseconds: Python has no finer ones."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    columns = [
        c.cast(arrow.timestamp("us", c.type.tz), safe=False) if types.is_timestamp(c.type) and c.type.unit == "ns" else c
        for c in block.columns
    ]
    return arrow.record_batch(columns, names=block.schema.names)


def limit_rows(rows: TableRows, limit: int | None) -> TableRows:
    """At most `limit` rows: random, but always the same. Raises SettingError for a limit below MIN_DATASET_SAMPLES."""
    if limit is None or limit >= len(rows):
        return rows
    require(limit >= MIN_DATASET_SAMPLES, "limit", limit, f"{MIN_DATASET_SAMPLES} or more")
    indices = np.sort(np.random.default_rng(limit).permutation(len(rows))[:limit])

    def read_blocks() -> Iterator[Any]:
        start = 0
        for block in rows.read_blocks():
            first, end = np.searchsorted(indices, (start, start + block.num_rows))
            yield block.take(import_arrow().array(indices[first:end] - start))
            start += block.num_rows

    sample = RowSample(rows.sample.schema)
    for block in read_blocks():
        sample.add(block)
    table = sample.build_table()
    return replace(
        rows,
        read_all_blocks=(lambda: iter(table.to_batches())) if sample.is_whole else read_blocks,
        count=limit,
        sample=table,
        surveys=survey_table(table, limit, [()] * len(rows.surveys)),
        fingerprint=fingerprint_parts(rows.fingerprint, limit),
        title=f"{rows.title}, {limit:,} of them",
        _position=None,
    )
