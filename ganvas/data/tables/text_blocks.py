"""Blocks of texts from Python values, as JSON lines and databases give them. What they mean is found later, in all rows."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...system.arrow import import_arrow


def build_text_block(columns: Sequence[Sequence[Any]], schema: Any) -> Any:
    """A block (pyarrow.RecordBatch) of texts from Python values, column by column. None stays missing."""
    arrow = import_arrow()
    return arrow.record_batch([arrow.array(map(write_value, values), arrow.string()) for values in columns], schema=schema)


def write_value(value: Any) -> str | None:
    """A value as a CSV file would hold it. Times of a zone become UTC, durations become seconds, infinity is missing."""
    match value:
        case None | str():
            return value
        case bool():
            return json.dumps(value)
        case int():
            return repr(value)
        case float():
            return repr(value) if math.isfinite(value) else None
        case Decimal():
            return f"{value:f}" if value.is_finite() else None
        case datetime():
            return _write_time(value)
        case date():
            return value.isoformat()
        case timedelta():
            return repr(value.total_seconds())
        case bytes() | bytearray() | memoryview():
            return value.hex()
        case dict() | list() | tuple():
            return json.dumps(value, default=str)
        case _:
            return str(value)


def _write_time(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat(" ", "seconds")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds") + "Z"
