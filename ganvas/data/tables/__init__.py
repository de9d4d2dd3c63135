"""Tables of any format as rows, block by block, with a survey of their columns. Nothing else in the package reads tables."""

from .frames import is_frame, open_stream
from .opening import TABLE_SUFFIXES, is_table_path, open_table, read_frame, read_table_rows
from .survey import summarise_surveys, survey_column
from .table_rows import TableRows, limit_rows

__all__ = [
    "TABLE_SUFFIXES",
    "TableRows",
    "is_frame",
    "is_table_path",
    "limit_rows",
    "open_stream",
    "open_table",
    "read_frame",
    "read_table_rows",
    "summarise_surveys",
    "survey_column",
]
