"""Rows to come: time is counted on in the column's own type, by the step of the file."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow
import pytest

from ganvas.data.series import find_row_order
from ganvas.errors import GanvasError
from ganvas.sampling.series_file import add_steps, list_runs

DAY = date(2024, 2, 27)


@pytest.mark.parametrize(
    ("times", "expected", "is_noted"),
    [
        ([3, 5, 7], [9, 11], False),
        ([0.5, 0.75, 1.0], [1.25, 1.5], False),
        ([Decimal("1.50"), Decimal("1.75"), Decimal("2.00")], [Decimal("2.25"), Decimal("2.50")], False),
        ([DAY, DAY + timedelta(1)], [date(2024, 2, 29), date(2024, 3, 1)], False),
        ([DAY, DAY + timedelta(1), DAY + timedelta(4)], [date(2024, 3, 5), date(2024, 3, 8)], True),  # the upper median
        ([datetime(2024, 1, 1, 22), datetime(2024, 1, 1, 23)], [datetime(2024, 1, 2), datetime(2024, 1, 2, 1)], False),
    ],
)
def test_times_are_counted_on(times: list[Any], expected: list[Any], is_noted: bool) -> None:
    table = pyarrow.table({"time": times, "heat": list(range(len(times)))})
    order = find_row_order(table, None, "time", "heat.csv")
    longer, _, notes = add_steps(table, order, "time", 2, "heat.csv")
    assert longer.schema == table.schema
    assert longer["time"].to_pylist() == [*times, *expected]
    assert longer["heat"].to_pylist() == [*table["heat"].to_pylist(), None, None]
    assert bool(notes) == is_noted


def test_each_series_goes_on_after_its_last_row_and_a_gap_of_time_stays_one() -> None:
    table = pyarrow.table({"key": list("bbaaa"), "time": [2, 1, 1, 2, 4]})
    order = find_row_order(table, "key", "time", "keys.csv")
    longer, order, _ = add_steps(table.take(order.rows), order, "time", 2, "keys.csv")
    assert longer["time"].to_pylist() == [1, 2, 3, 4, 1, 2, 4, 5, 6]
    assert order.series.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    runs = list_runs(order)
    assert [runs.starts.tolist(), runs.ends.tolist(), runs.series.tolist()] == [[0, 4], [4, 9], [0, 1]]


def test_without_a_column_of_time_rows_follow_in_their_order() -> None:
    table = pyarrow.table({"heat": [1.5, 2.5]})
    longer, order, _ = add_steps(table, find_row_order(table, None, None, "heat.csv"), None, 1, "heat.csv")
    assert longer["heat"].to_pylist() == [1.5, 2.5, None]
    assert list_runs(order).ends.tolist() == [3]


def test_one_row_has_no_step() -> None:
    table = pyarrow.table({"time": [3]})
    with pytest.raises(GanvasError, match="one row of each series, so the step of 'time' is unknown"):
        add_steps(table, find_row_order(table, None, "time", "one.csv"), "time", 2, "one.csv")
