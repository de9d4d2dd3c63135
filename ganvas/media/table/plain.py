"""Tables as scores and attacks see them."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core import PlainTable, ValueKind
from ...system.arrow import import_arrow
from .columns import BinColumn, CategoryColumn, ColumnCodec, DateColumn, NumberColumn
from .columns.number import convert_to_numbers

MISSING_CODE = 2**32  # no checksum of 32 bits


def choose_value_kind(column: ColumnCodec) -> ValueKind | None:
    """What a column is to scores; None if it is not learnt."""
    if not column.fields:
        return None
    return (
        "category"
        if isinstance(column, CategoryColumn)
        else "number"
        if isinstance(column, (NumberColumn, BinColumn, DateColumn))
        else None
    )


def read_value_kind(arrow_type: Any) -> ValueKind:
    """What a column that a rule computes is to scores, by its type."""
    types = import_arrow("pyarrow.types")
    checks = (types.is_integer, types.is_floating, types.is_decimal, types.is_temporal)
    return "number" if any(check(arrow_type) for check in checks) else "category"


def read_plain_table(table: Any, kinds: Mapping[str, ValueKind]) -> PlainTable:
    """Some columns of a pyarrow.Table. A category's code is a checksum of its text, so that it is the same in all tables."""
    values = [_read_column(table.column(name).combine_chunks(), kind) for name, kind in kinds.items()]
    return PlainTable(tuple(kinds), tuple(kinds.values()), tuple(values))


def _read_column(values: Any, kind: ValueKind) -> np.ndarray:
    if kind == "number":
        return convert_to_numbers(values)
    arrow = import_arrow()
    texts = values.cast(arrow.string()).dictionary_encode()
    codes = np.array([*(zlib.crc32(text.encode()) for text in texts.dictionary.to_pylist()), MISSING_CODE], np.int64)
    places = texts.indices.fill_null(len(texts.dictionary)).to_numpy(zero_copy_only=False)
    return codes[places]
