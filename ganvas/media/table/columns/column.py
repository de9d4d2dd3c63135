"""What every column codec of a table offers, whatever its kind."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from ....core import Field
from ....system.arrow import import_arrow


class CodeLayout(NamedTuple):
    """What each of a column's K codes stands for in x and in the data."""

    hot: np.ndarray  # int64 [K]: its place in the column's one-hot; -1: the column has none
    low: np.ndarray  # float64 [K]: its interval of ranks, from 0 to 1; NaN: the code has no rank
    high: np.ndarray  # float64 [K]
    weights: np.ndarray  # float64 [K]: the share of the rows that hold it
    values: np.ndarray  # float64 [K]: the number in its middle; NaN: it stands for no number


@runtime_checkable
class ColumnCodec(Protocol):
    """One column of a table: between Arrow's values and codes from 0 to K - 1. Frozen settings (@config)."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...  # of the values, as Arrow prints it: "int64"
    @property
    def metadata(self) -> dict[bytes, bytes]:
        """How the values are written as texts, for the field of a schema."""
        ...

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its parts of x: a one-hot, a rank, both or neither."""
        ...

    def lay_out(self) -> CodeLayout: ...
    def encode(self, values: Any) -> np.ndarray:
        """Values (pyarrow array) as codes, uint16 [n]."""
        ...

    def decode(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        """Codes int64 [n] as values (pyarrow array).

        places: float64 [n] from 0 to 1, where within a code's interval each value lies.
        rows: int64 [n], the rows' numbers, which new keys are made from.
        """
        ...


def drop_not_numbers(values: Any) -> Any:
    """Values with null for NaN and for infinite numbers (pyarrow array)."""
    types, compute = import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
    if not types.is_floating(values.type):
        return values
    return compute.if_else(compute.is_finite(values), values, import_arrow().scalar(None, values.type))


class UnlearntColumn:
    """The part of ColumnCodec besides `decode`, for columns that no network learns: they have one code."""

    @property
    def metadata(self) -> dict[bytes, bytes]:
        return {}

    @property
    def fields(self) -> tuple[Field, ...]:
        return ()

    def lay_out(self) -> CodeLayout:
        nothing = np.full(1, np.nan)
        return CodeLayout(np.full(1, -1), nothing, nothing, np.ones(1), nothing)

    def encode(self, values: Any) -> np.ndarray:
        return np.zeros(len(values), np.uint16)
