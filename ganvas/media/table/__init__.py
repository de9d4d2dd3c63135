"""Rows of tables: a codec for each column, stored as one number a cell."""

from .codec import TableCodec
from .medium import Table
from .writing import write_table_file

__all__ = ["Table", "TableCodec", "write_table_file"]
