"""The codecs of a table's columns, one file for each kind."""

from .bins import BinColumn, list_equal_edges
from .category import CategoryColumn, CategoryCount, fit_category_column
from .column import CodeLayout, ColumnCodec
from .constant import ConstantColumn, build_empty_column, fit_constant_column
from .date import DateColumn, fit_date_column
from .key import KeyColumn, fit_key_column
from .number import NumberColumn, fit_number_column

__all__ = [
    "BinColumn",
    "CategoryColumn",
    "CategoryCount",
    "CodeLayout",
    "ColumnCodec",
    "ConstantColumn",
    "DateColumn",
    "KeyColumn",
    "NumberColumn",
    "build_empty_column",
    "fit_category_column",
    "fit_constant_column",
    "fit_date_column",
    "fit_key_column",
    "fit_number_column",
    "list_equal_edges",
]
