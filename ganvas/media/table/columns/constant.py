"""Columns that hold one value in all rows, or none in any."""

from typing import Any

import numpy as np

from ....configuration import config
from ....system.arrow import import_arrow, parse_arrow_type
from .column import UnlearntColumn


@config
class ConstantColumn(UnlearntColumn):
    """One code, which is `value`; None: always missing, as free text is that no network learns."""

    name: str
    type: str
    value: str | None = None

    def decode(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        arrow, kind = import_arrow(), parse_arrow_type(self.type)
        if self.value is None:
            return arrow.nulls(len(codes), kind)
        return arrow.repeat(arrow.scalar(self.value), len(codes)).cast(kind)


def fit_constant_column(name: str, values: Any) -> ConstantColumn:
    """The codec of a column (pyarrow array) whose present values are all alike."""
    arrow = import_arrow()
    present_values = values.drop_null()
    return ConstantColumn(
        name=name, type=str(values.type), value=present_values[0].cast(arrow.string()).as_py() if len(present_values) else None
    )


def build_empty_column(name: str, kind: Any) -> ConstantColumn:
    """A column that is always missing, in place of one that is not learnt."""
    types = import_arrow("pyarrow.types")
    is_plain = not (types.is_nested(kind) or types.is_fixed_size_binary(kind) or types.is_binary(kind))
    return ConstantColumn(name=name, type=str(kind) if is_plain else "string")
