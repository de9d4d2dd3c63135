"""Tables of any format as rows, block by block, with a survey of their columns. Nothing else in the package reads tables."""

from .opening import TABLE_SUFFIXES, is_table_path, open_table, read_frame, read_table_rows
from .survey import summarise_surveys, survey_column
from .table_rows import TableRows, limit_rows

__all__ = [
    "TABLE_SUFFIXES",
    "TableRows",
    "is_table_path",
    "limit_rows",
    "open_table",
    "read_frame",
    "read_table_rows",
    "summarise_surveys",
    "survey_column",
]
