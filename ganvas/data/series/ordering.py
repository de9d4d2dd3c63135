"""The rows of a table as series: sorted by their key and time, with gaps of time found."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..names import list_examples
from ..tables import TableRows
from .steps import Step, find_step_of_time

LEARNABLE_KINDS = ("category", "number", "integer", "date")


@dataclass(frozen=True)
class SeriesRows:
    """All rows of a table, series by series, each in the order of time."""

    rows: TableRows
    table: Any  # pyarrow.Table, without the column of time
    series: np.ndarray  # int64 [R], rising from 0
    is_start: np.ndarray  # bool [R]: no row of the same series lies one step before it
    key: str | None
    step: Step | None  # None without a column of time
    statics: tuple[str, ...]
    learnable: tuple[str, ...]  # columns that change with time and that a network can learn

    def count_rows(self) -> np.ndarray:
        """The rows of each series, int64 [S]."""
        return np.bincount(self.series)


class RowOrder(NamedTuple):
    """How the rows of a table become series. All but `rows` is in the order of the sorted rows."""

    rows: np.ndarray  # int64 [R]: the rows, series by series, each in the order of time
    series: np.ndarray  # int64 [R], rising from 0
    times: np.ndarray | None  # int64 or float64 [R], in the unit of the column; None without one
    is_start: np.ndarray  # bool [R]: no row of the same series lies one step before it
    step: Step | None  # None without a column of time


def order_rows(rows: TableRows, key: str | None = None, time: str | None = None) -> SeriesRows:
    """Sort rows by `key`, then by `time`; without a time, their own order counts. The whole table lies in memory then.

    Raises:
        GanvasError: no such column, a time that is none or is missing, two rows of a series at one time, or nothing to learn.
    """
    arrow = import_arrow()
    table = arrow.Table.from_batches(list(rows.read_blocks()), rows.sample.schema).combine_chunks()
    order = find_row_order(table, key, time, rows.title)
    table, series, is_start, step = table.take(arrow.array(order.rows)), order.series, order.is_start, order.step
    table = table.drop_columns([time]) if time is not None else table
    statics = _find_statics(table, series, key)
    learnable = _list_learnable(rows, {*statics, key, time})
    return SeriesRows(rows, table, series, is_start, key, step, statics, learnable)


def find_row_order(table: Any, key: str | None, time: str | None, title: str) -> RowOrder:
    """Sort the rows of a pyarrow.Table by `key`, then by `time`, and find the gaps of time.

    Raises:
        GanvasError: no such column, a time that is none or is missing, or two rows of a series at one time.
    """
    for name, role in ((key, "key"), (time, "time")):
        if name is not None and name not in table.column_names:
            raise GanvasError(f"{title} has no column {name!r} for `{role}`: it has {list_examples(table.column_names)}")
    if key is not None and key == time:
        raise GanvasError(f"{key!r} is both `key` and `time`: the key names a station or person, and time orders its rows")
    series = np.zeros(len(table), np.int64) if key is None else _number_series(table.column(key), key, title)
    times = None if time is None else read_times(table.column(time), time, title)
    order = np.lexsort((series,) if times is None else (times, series))
    series = series[order]
    is_start, step = _mark_first_rows(series), None
    if times is not None and time is not None:
        times = times[order]
        _check_times(times, series, table, order, key, time, title)
        step = find_step_of_time(times, series, table.schema.field(time).type)
        is_start |= step.find_gaps(times)
    return RowOrder(order, series, times, is_start, step)


def _number_series(values: Any, key: str, title: str) -> np.ndarray:
    """The number of each row's series, in the order in which they first appear: int64 [R]."""
    if values.null_count:
        raise GanvasError(
            f"{title}: the key {key!r} is missing in {values.null_count:,} rows: fill it in, or remove these rows"
        )
    return values.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)


def read_times(values: Any, name: str, title: str) -> np.ndarray:
    """Dates (in their own unit) or numbers (pyarrow array) as int64 or float64 [R]. Raises GanvasError for anything else."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    is_time = types.is_temporal(values.type)
    if not (is_time or types.is_integer(values.type) or types.is_floating(values.type) or types.is_decimal(values.type)):
        example = next((repr(v) for v in values.slice(0, 100).to_pylist() if v is not None), "nothing")
        raise GanvasError(
            f"{title}: {name!r} is no time, it holds {example[:40]}: write times like 2024-02-29 13:00, or number the rows"
        )
    if values.null_count:
        raise GanvasError(
            f"{title}: the time {name!r} is missing, or no date that exists, in {values.null_count:,} rows: remove these rows"
        )
    if is_time:
        values = values.cast(arrow.int32()) if values.type.bit_width == 32 else values
        return values.cast(arrow.int64()).to_numpy()
    numbers = values.cast(arrow.float64()).to_numpy()
    if not np.isfinite(numbers).all():
        raise GanvasError(f"{title}: the time {name!r} holds numbers that are not finite: remove these rows")
    return numbers


def _mark_first_rows(series: np.ndarray) -> np.ndarray:
    return np.concatenate([[True], series[1:] != series[:-1]])


def _check_times(
    times: np.ndarray, series: np.ndarray, table: Any, order: np.ndarray, key: str | None, time: str, title: str
) -> None:
    doubles = np.flatnonzero((times[1:] == times[:-1]) & (series[1:] == series[:-1]))
    if not len(doubles):
        return
    row = table.slice(int(order[doubles[0]]), 1)
    whose = "the table" if key is None else f"{key} {row.column(key)[0].as_py()}"
    remedy = (
        "name the column that tells series apart as `key`" if key is None else "remove one of each pair, or choose another key"
    )
    raise GanvasError(
        f"{title}: {whose} has two rows at {time} {row.column(time).cast('string')[0].as_py()}, and so for {len(doubles):,} "
        f"rows: {remedy}"
    )


def _find_statics(table: Any, series: np.ndarray, key: str | None) -> tuple[str, ...]:
    """Columns that never change within a series, but differ between some. A missing value is a value."""
    counts = np.bincount(series)
    if len(counts) < 2 or counts.max() < 2:
        return ()
    follows = series[1:] == series[:-1]
    statics = list[str]()
    for name in table.column_names:
        types = import_arrow("pyarrow.types")
        if name == key or types.is_nested(table.schema.field(name).type):
            continue
        codes = table.column(name).combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()
        is_change = codes[1:] != codes[:-1]
        if is_change.any() and not (is_change & follows).any():
            statics.append(name)
    return tuple(statics)


def _list_learnable(rows: TableRows, others: set[str | None]) -> tuple[str, ...]:
    names = tuple(s.name for s in rows.surveys if s.name not in others and s.kind in LEARNABLE_KINDS)
    if not names:
        reasons = "; ".join(survey.sentence for survey in rows.surveys if survey.name not in others)
        raise GanvasError(
            f"{rows.title} has no number and no category that changes with time, so there is nothing to learn"
            f"{f' ({reasons[:200]})' if reasons else ''}: give columns of measurements"
        )
    return names
