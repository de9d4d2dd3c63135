"""Rows of tables: a codec for each column, stored as one number a cell."""

from .codec import TableCodec
from .columns import CategoryColumn, ConstantColumn, DateColumn, KeyColumn, NumberColumn
from .medium import Table
from .writing import write_table_file

__all__ = [
    "CategoryColumn",
    "ConstantColumn",
    "DateColumn",
    "KeyColumn",
    "NumberColumn",
    "Table",
    "TableCodec",
    "write_table_file",
]
