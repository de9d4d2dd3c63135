"""Rows of tables: a codec for each column, stored as one number a cell."""

from .bounds import read_bounds, write_bounds_template
from .codec import TableCodec
from .columns import BinColumn, CategoryColumn, ConstantColumn, DateColumn, KeyColumn, NumberColumn
from .medium import Table
from .public import PublicTable
from .writing import write_table_file

__all__ = [
    "BinColumn",
    "CategoryColumn",
    "ConstantColumn",
    "DateColumn",
    "KeyColumn",
    "NumberColumn",
    "PublicTable",
    "Table",
    "TableCodec",
    "read_bounds",
    "write_bounds_template",
    "write_table_file",
]
