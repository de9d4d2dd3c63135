"""Rows of tables: a codec for each column, stored as one number a cell."""

from .bounds import read_bounds, write_bounds_template
from .category_condition import CategoryCondition
from .codec import TableCodec
from .columns import BinColumn, CategoryColumn, ConstantColumn, DateColumn, KeyColumn, NumberColumn
from .medium import Table
from .mixtures import ModeMixture
from .modes import TableModes
from .modes_codec import ModesCodec
from .public import PublicTable
from .rules import (
    AtMost,
    Bounds,
    ColumnForm,
    Decimals,
    Dependence,
    FixedCombinations,
    MissingTogether,
    Total,
    Unique,
    drop_broken_rules,
    find_rules,
    read_rules,
    write_rules_toml,
)
from .writing import write_table_file

__all__ = [
    "AtMost",
    "BinColumn",
    "Bounds",
    "CategoryColumn",
    "CategoryCondition",
    "ColumnForm",
    "ConstantColumn",
    "DateColumn",
    "Decimals",
    "Dependence",
    "FixedCombinations",
    "KeyColumn",
    "MissingTogether",
    "ModeMixture",
    "ModesCodec",
    "NumberColumn",
    "PublicTable",
    "Table",
    "TableCodec",
    "TableModes",
    "Total",
    "Unique",
    "drop_broken_rules",
    "find_rules",
    "read_bounds",
    "read_rules",
    "write_bounds_template",
    "write_rules_toml",
    "write_table_file",
]
