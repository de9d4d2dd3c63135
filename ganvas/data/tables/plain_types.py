"""Columns in the types that the package works with: texts, numbers, dates. Libraries have other forms of the same values."""

from dataclasses import replace
from typing import Any

from ...system.arrow import import_arrow
from .opened import OpenTable

DECIMAL_DIGITS = 38  # of decimal128; longer ones become floating-point numbers


def simplify_types(table: OpenTable) -> OpenTable:
    """The table with plain values for dictionaries (pandas' categories), views and long strings (polars), and extensions."""
    arrow = import_arrow()
    plain_types = [choose_plain_type(field.type) for field in table.schema]
    if plain_types == [field.type for field in table.schema]:
        return table
    fields = [arrow.field(f.name, t, metadata=f.metadata) for f, t in zip(table.schema, plain_types, strict=True)]
    schema = arrow.schema(fields)

    def convert_block(block: Any) -> Any:
        columns = [_convert(column, type_) for column, type_ in zip(block.columns, plain_types, strict=True)]
        return arrow.record_batch(columns, schema=schema)

    return replace(table, read_blocks=lambda: map(convert_block, table.read_blocks()), schema=schema)


def choose_plain_type(type_: Any) -> Any:
    """The plain type (pyarrow.DataType) of the same values."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    if isinstance(type_, arrow.BaseExtensionType):
        return choose_plain_type(type_.storage_type)
    if types.is_dictionary(type_) or types.is_run_end_encoded(type_):
        return choose_plain_type(type_.value_type)
    if types.is_large_string(type_) or types.is_string_view(type_):
        return arrow.string()
    if types.is_float16(type_):
        return arrow.float32()
    if types.is_decimal(type_) and not types.is_decimal128(type_):
        return arrow.decimal128(type_.precision, type_.scale) if type_.precision <= DECIMAL_DIGITS else arrow.float64()
    return type_


def is_learnable(type_: Any) -> bool:
    """Whether a column of this type may be learnt: texts, numbers, truth values, dates and times."""
    types = import_arrow("pyarrow.types")
    checks = (types.is_string, types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    return any(check(type_) for check in (*checks, types.is_timestamp, types.is_date, types.is_time, types.is_duration))


def _convert(column: Any, type_: Any) -> Any:
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    if isinstance(column.type, arrow.BaseExtensionType):
        return _convert(column.storage, type_)
    if types.is_run_end_encoded(column.type):
        return _convert(import_arrow("pyarrow.compute").run_end_decode(column), type_)
    if types.is_dictionary(column.type):  # polars' have views as their values, which pyarrow cannot take from
        return _convert(column.dictionary, type_).take(column.indices)
    return column if column.type == type_ else column.cast(type_)
