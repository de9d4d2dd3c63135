"""Tables: what each column is, and rows that come in blocks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from .plain_table import PlainTable, ValueKind

ColumnKind = Literal["category", "number", "integer", "date", "key", "constant", "text"]


class ColumnSurvey(NamedTuple):
    """What a column of a table is."""

    name: str
    kind: ColumnKind  # "text" is free text, or anything else that no network learns
    missing_share: float  # of all rows
    distinct_count: int  # of the values that are there; of a large table, in a sample
    sentence: str  # for people: "age: whole numbers from 17 to 90, 73 of them different"


@runtime_checkable
class BlockItems(Protocol):
    """Items that come in blocks of consecutive ones, so that each item need not be read by itself."""

    def read_blocks(self) -> Iterator[Any]:
        """All items in their order. A block of a table is a pyarrow.RecordBatch."""
        ...


@runtime_checkable
class BlockCodec(Protocol):
    """A codec that encodes a block of items at once, to the same numbers as one by one."""

    def encode_block(self, block: Any) -> np.ndarray:
        """The block's n items in stored form, [n, …]."""
        ...


@runtime_checkable
class TableItems(BlockItems, Protocol):
    """The rows of a table, by number and in blocks."""

    fingerprint: str
    title: str  # for messages: "people.csv (32,561 rows, 15 columns)"
    sample: Any  # pyarrow.Table: all rows, or of a large table a random part; fields say how texts are written (metadata)
    surveys: Sequence[ColumnSurvey]  # one for each column, in the table's order

    def __len__(self) -> int: ...


@runtime_checkable
class PlainTableCodec(Protocol):
    """A codec of rows that scores and attacks can read."""

    @property
    def target(self) -> str: ...  # the column that others are to predict
    def list_plain_columns(self) -> Mapping[str, ValueKind]:
        """The names and kinds of the columns that are learnt, in their order."""
        ...

    def decode(self, stored: Tensor) -> Any:
        """Stored rows [N, C] as a pyarrow.Table."""
        ...

    def read_plain_table(self, stored: Tensor) -> PlainTable:
        """Stored rows [N, C] as their values. Categories have the same codes in all tables of a codec."""
        ...


FORMAT_KEY = b"ganvas.format"  # in a field's metadata: how its dates are written, as strftime says it
DECIMALS_KEY = b"ganvas.decimals"  # in a field's metadata: how many decimals each of its numbers has in the text
