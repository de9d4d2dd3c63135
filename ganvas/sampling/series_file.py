"""A file of series that is to be completed: its rows in order of time, and the rows that are to come after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import TableRows, Windows
from ..data.series import RowOrder, find_row_order
from ..errors import GanvasError
from ..media import SeriesCodec
from ..media.table import CategoryColumn
from ..system.arrow import import_arrow
from .gaps import SeriesRuns

MAX_NAMES = 12  # in a message


@dataclass(frozen=True)
class SeriesFile:
    """Rows of a file, series by series, each in the order of time."""

    table: Any  # pyarrow.Table with the file's columns
    series: np.ndarray  # int64 [R], rising from 0
    runs: SeriesRuns
    file_rows: np.ndarray | None  # int64 [R]: where each row lies in the file; None if there are others as well
    notes: tuple[str, ...] = ()


def order_file(rows: TableRows, source: Windows, codec: SeriesCodec, steps: int | None = None) -> SeriesFile:
    """Sort a file as the training data was, and add `steps` rows at the end of each series, empty but for key and time.

    What never changes within a series is copied to all of its rows.

    Raises:
        GanvasError: a file without the key, the time or a column of the training data, with a series that the run does not
            know, or with a time that cannot be counted on.
    """
    names = [column.name for column in codec.columns]
    if not set(names) & (set(rows.sample.schema.names) - {source.key, source.time}):
        listed = ", ".join([name for name in names if name != source.key][:MAX_NAMES])
        raise GanvasError(f"{rows.title} has no column of the training data: it needs at least one of {listed}")
    table = import_arrow().Table.from_batches(list(rows.read_blocks()), rows.sample.schema).combine_chunks()
    order = find_row_order(table, source.key, source.time, rows.title)
    table = table.take(import_arrow().array(order.rows))
    _check_keys(table, codec, source.key, rows.title)
    statics = [name for name in (*codec.statics, source.key) if name is not None and name in table.schema.names]
    if steps is None:
        return SeriesFile(_copy_statics(table, order.series, statics), order.series, list_runs(order), order.rows)
    table, order, notes = add_steps(table, order, source.time, steps, rows.title)
    return SeriesFile(_copy_statics(table, order.series, statics), order.series, list_runs(order), None, notes)


def _check_keys(table: Any, codec: SeriesCodec, key: str | None, title: str) -> None:
    """Raises GanvasError for a series whose name the run has learnt no value of."""
    column = next((column for column in codec.columns if column.name == key), None)
    if key is None or not isinstance(column, CategoryColumn):
        return
    arrow = import_arrow()
    texts = table.column(key).cast(arrow.string()).unique().to_pylist()
    unknown = [text for text in texts if text not in column.values]
    if unknown:
        raise GanvasError(
            f"{title}: the run has never seen {key} {unknown[0]}: it knows {', '.join(column.values[:MAX_NAMES])}. Remove the "
            "rows of others, or train again with them"
        )


def list_runs(order: RowOrder) -> SeriesRuns:
    """The runs of sorted rows without a gap of time."""
    starts = np.flatnonzero(order.is_start)
    return SeriesRuns(starts, np.append(starts[1:], len(order.series)), order.series[starts])


def add_steps(table: Any, order: RowOrder, time: str | None, steps: int, title: str) -> tuple[Any, RowOrder, tuple[str, ...]]:
    """Sorted rows with `steps` more at the end of each series, and what to know of their times."""
    arrow, notes = import_arrow(), tuple[str, ...]()
    ends = np.append(np.flatnonzero(np.diff(order.series)) + 1, len(order.series))
    is_new = np.insert(np.zeros(len(order.series), bool), np.repeat(ends, steps), True)
    rows = np.insert(np.arange(len(order.series)), np.repeat(ends, steps), np.repeat(ends - 1, steps))
    longer = table.take(arrow.array(rows, mask=is_new))
    series, times = order.series[rows], order.times
    is_start = order.is_start[rows] & ~is_new
    if time is not None and times is not None and order.step is not None:
        if order.step.size <= 0:
            raise GanvasError(f"{title} has one row of each series, so the step of {time!r} is unknown: give two rows or more")
        size = int(order.step.size) if times.dtype.kind == "i" else order.step.size
        times = times[rows]
        times[is_new] += np.tile(np.arange(1, steps + 1), len(ends)) * size
        place = longer.schema.get_field_index(time)
        longer = longer.set_column(place, longer.schema.field(time), write_times(times, longer.schema.field(time).type))
        if not order.step.is_regular:
            notes = (f"the times of {title.partition(' (')[0]} are irregular: new rows follow at their median distance",)
    return longer, RowOrder(order.rows, series, times, is_start, order.step), notes


def write_times(times: np.ndarray, kind: Any) -> Any:
    """The inverse of `read_times`: int64 or float64 [R] as a pyarrow array of dates or numbers."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    if not types.is_temporal(kind):
        return arrow.array(np.rint(times) if types.is_integer(kind) else times).cast(kind, safe=False)
    numbers = arrow.array(times)
    return (numbers.cast(arrow.int32()) if kind.bit_width == 32 else numbers).cast(kind)


def _copy_statics(table: Any, series: np.ndarray, names: Sequence[str]) -> Any:
    """The table (pyarrow.Table) with the gaps of these columns filled by the last value that their series has."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    rows = np.arange(len(series))
    for name in dict.fromkeys(names):
        values = table.column(name).combine_chunks()
        is_valid = compute.is_valid(values).to_numpy(zero_copy_only=False)
        latest = np.full(int(series.max(initial=0)) + 1, -1)
        latest[series[is_valid]] = rows[is_valid]
        chosen = np.where(is_valid, rows, latest[series])
        place = table.schema.get_field_index(name)
        filled = values.take(arrow.array(chosen, mask=chosen < 0))
        table = table.set_column(place, table.schema.field(name), filled)
    return table
