"""Rows of tables: a codec for each column, stored as one number a cell."""

from .category_condition import CategoryCondition
from .codec import TableCodec
from .columns import CategoryColumn, ConstantColumn, DateColumn, KeyColumn, NumberColumn
from .medium import Table
from .mixtures import ModeMixture
from .modes import TableModes
from .modes_codec import ModesCodec
from .writing import write_table_file

__all__ = [
    "CategoryColumn",
    "CategoryCondition",
    "ConstantColumn",
    "DateColumn",
    "KeyColumn",
    "ModeMixture",
    "ModesCodec",
    "NumberColumn",
    "Table",
    "TableCodec",
    "TableModes",
    "write_table_file",
]
