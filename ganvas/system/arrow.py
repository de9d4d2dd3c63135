"""pyarrow, which reads and writes tables. It is an extra, and only imported where a table is read or written."""

from importlib import import_module
from typing import Any

from ..errors import GanvasError


def import_arrow(module: str = "pyarrow") -> Any:
    """pyarrow, or a module of it: "pyarrow.csv". Raises GanvasError with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise GanvasError("tables are read by pyarrow, which is not installed: pip install 'ganvas[tables]'") from error


def parse_arrow_type(text: str) -> Any:
    """The pyarrow.DataType that prints as `text`, of the types that a column of a table can have."""
    arrow = import_arrow()
    name, _, rest = text.partition("(" if text.startswith("decimal") else "[")
    if name.startswith("decimal"):
        precision, scale = rest.rstrip(")").split(",")
        return getattr(arrow, name)(int(precision), int(scale))
    if name == "timestamp" and ", tz=" in rest:
        unit, zone = rest.removesuffix("]").split(", tz=")
        return arrow.timestamp(unit, zone)
    return arrow.type_for_alias(text)
