"""Which cells of a table are missing, and the table with generated values in their place."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..core import DECIMALS_KEY
from ..media.table.columns import ColumnCodec
from ..system.arrow import import_arrow


def mark_present_cells(columns: Sequence[ColumnCodec], table: Any) -> Tensor:
    """Which cells of n rows are learnt and not missing: bool [n, C]."""
    compute = import_arrow("pyarrow.compute")
    present = [
        torch.from_numpy(compute.is_valid(table.column(column.name)).to_numpy().copy())
        if column.fields
        else torch.zeros(table.num_rows, dtype=torch.bool)
        for column in columns
    ]
    return torch.stack(present, 1)


def fill_gaps(block: Any, generated: Any) -> Any:
    """The block (pyarrow.Table) with generated values where it has none, and with the columns that it lacks at its end.

    Values that it has are written as they were: with all of their decimals, and dates in their own format.
    """
    arrow = import_arrow()
    arrays, fields = [], []
    for name in (*block.schema.names, *(name for name in generated.schema.names if name not in block.schema.names)):
        sides = [table.schema.field(name) if name in table.schema.names else None for table in (block, generated)]
        own, other = sides
        if own is None or other is None:
            table = generated if own is None else block
            arrays.append(table.column(name))
            fields.append(own or other)
            continue
        values, filling = block.column(name), generated.column(name)
        arrays.append(_coalesce(values, filling))
        is_empty = values.null_count == len(values)
        fields.append(arrow.field(name, arrays[-1].type, metadata=other.metadata if is_empty else _join_formats(own, other)))
    return arrow.Table.from_arrays(arrays, schema=arrow.schema(fields))


def _coalesce(values: Any, filling: Any) -> Any:
    """Values (pyarrow array) with others in the place of missing ones, in a type that loses nothing of the values."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    kind = _choose_type(values.type, filling.type)
    try:
        return compute.coalesce(values.cast(kind, safe=False), filling.cast(kind, safe=False))
    except arrow.ArrowException:  # such as texts among numbers
        return compute.coalesce(values.cast(arrow.string()), filling.cast(arrow.string()))


def _choose_type(own: Any, other: Any) -> Any:
    types = import_arrow("pyarrow.types")
    loses_decimals = types.is_floating(own) and types.is_integer(other)
    return own if loses_decimals or (types.is_timestamp(own) and types.is_timestamp(other)) else other


def _join_formats(own: Any, other: Any) -> dict[bytes, bytes]:
    """How a column is written that has values of two fields (pyarrow.Field)."""
    types = import_arrow("pyarrow.types")
    own_marks, other_marks = dict(own.metadata or {}), dict(other.metadata or {})
    if types.is_temporal(own.type):
        return own_marks
    if not types.is_floating(own.type):
        return other_marks | own_marks
    if DECIMALS_KEY not in own_marks:
        return own_marks
    most = max(int(marks.get(DECIMALS_KEY, b"0")) for marks in (own_marks, other_marks))
    return own_marks | {DECIMALS_KEY: str(most).encode()}
