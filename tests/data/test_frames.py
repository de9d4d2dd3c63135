"""Frames that Python hands over: what is read of them, what is stored for later, and what is refused."""

import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from ganvas.data import Rows, read_frame
from ganvas.data.stored_frames import locate_data, store_frame
from ganvas.data.tables.text_blocks import write_value
from ganvas.errors import GanvasError

ROWS = 60


class Frame:
    """What any library's frame is to ganvas: an object with an Arrow stream, and nothing else."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


class FakeCursor:
    """A cursor of psycopg with rows as dictionaries."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.description = rows, [(name, None) for name in rows[0]]

    def fetchmany(self, size: int) -> list[dict[str, Any]]:
        rows, self.rows = self.rows[:size], self.rows[size:]
        return rows


def open_orders() -> sqlite3.Cursor:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE orders (n, day, price)")
    rows = [(k % 7, f"2024-01-{k % 28 + 1:02}", None if k % 3 == 0 else k / 4) for k in range(ROWS)]
    database.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    return database.execute("SELECT * FROM orders")


def test_a_frame_is_stored_once_for_its_owner_alone() -> None:
    table = pa.table({"a": range(ROWS), "b": ["x", "y", "z"] * 20})
    path = store_frame(Frame(table))
    assert path == store_frame(table) == store_frame(table.to_pydict()) != store_frame(table.slice(1))
    assert path.stat().st_mode & 0o077 == 0
    assert not list(path.parent.glob(".*")), "nothing is left behind"
    rows = Rows(path=str(path)).items(())
    assert [rows[5], len(rows)] == [{"a": 5, "b": "z"}, ROWS]
    assert locate_data("people.csv") == "people.csv"


def test_columns_of_other_forms_are_plain_values() -> None:
    words = ["x", "y", "z"] * 20
    table = pa.table(
        {
            "view": pa.array(words).cast(pa.string_view()),  # polars
            "long": pa.array(words, pa.large_string()),
            "category": pa.array(words).dictionary_encode(),
            "runs": pa.RunEndEncodedArray.from_arrays([30, 60], ["p", "q"]),
            "half": pa.array(np.arange(ROWS) % 5, pa.float16()),
            "wide": pa.array([Decimal("1.50"), None, Decimal("2.25")] * 20, pa.decimal256(50, 2)),
            "flag": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1] * 30, pa.int8())),
            "wait": pa.array([timedelta(minutes=k % 9) for k in range(ROWS)]),
            "time": pa.array([datetime(2024, 1, 1 + k % 9, tzinfo=UTC) for k in range(ROWS)]),
            "list": [[1, 2], [], [3]] * 20,
            "bytes": pa.array([b"ab"] * ROWS, pa.binary(2)),
            "limit": [float("inf"), 1.5, 2.5] * 20,
        }
    )
    for rows in (read_frame(Frame(table)), Rows(path=str(store_frame(Frame(table)))).items(())):
        kinds = {survey.name: survey.kind for survey in rows.surveys}
        assert [kinds[name] for name in ("view", "long", "category", "runs")] == ["category"] * 4
        assert [kinds[name] for name in ("half", "wide", "flag", "wait", "time")] == [
            "integer", "number", "integer", "integer", "date",
        ]  # fmt: skip
        assert (kinds["list"], kinds["bytes"]) == ("text", "text")
        assert next(s for s in rows.surveys if s.name == "limit").missing_share == pytest.approx(1 / 3)
        assert [rows.sample.schema.field(name).type for name in ("view", "long", "category", "runs")] == [pa.string()] * 4


def test_row_numbers_of_pandas_are_left_out() -> None:
    assert read_frame(pa.table({"a": range(ROWS), "__index_level_0__": range(ROWS)})).sample.schema.names == ["a"]


def test_a_cursor_is_read_as_the_table_of_its_database() -> None:
    for rows in (read_frame(open_orders()), Rows(path=str(store_frame(open_orders()))).items(())):
        assert [survey.kind for survey in rows.surveys] == ["integer", "date", "number"]
        assert rows[1] == {"n": 1, "day": datetime(2024, 1, 2), "price": 0.25}
        assert rows[3]["price"] is None


def test_what_is_found_in_texts_is_still_said_of_a_stored_cursor(tmp_path: Path) -> None:
    database = sqlite3.connect(":memory:")
    rows = Rows(path=str(store_frame(database.execute("SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 'x'")))).items(())
    assert "66.7% of its values are numbers" in rows.surveys[0].sentence


def test_rows_of_a_cursor_may_be_mappings() -> None:
    cursor = FakeCursor([{"a": k, "b": date(2024, 1, 1 + k % 20)} for k in range(ROWS)])
    assert read_frame(cursor)[2] == {"a": 2, "b": datetime(2024, 1, 3)}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None), (True, "true"), (2, "2"), (0.5, "0.5"), (float("inf"), None), (Decimal("1E+2"), "100"),
        (Decimal("NaN"), None), (Decimal("2.50"), "2.50"), (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 3, 4, 5, 600), "2024-02-29 03:04:05"), (timedelta(seconds=90), "90.0"),
        (datetime(2024, 2, 29, 3, tzinfo=timezone(timedelta(hours=2))), "2024-02-29 01:00:00Z"), (memoryview(b"\x01"), "01"),
        ([1, UUID(int=0)], f'[1, "{UUID(int=0)}"]'), (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
    ],
)  # fmt: skip
def test_values_of_databases_become_texts(value: object, text: str | None) -> None:
    assert write_value(value) == text


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ([1, 2], "list has no Arrow stream, and is no cursor"),
        ({"a": [1, 2], "b": [1]}, "as many values as the others"),
        ({"a": [1, "x"]}, "one type"),
        ({}, "has no columns"),
        (Frame(pa.table([[1], [2]], names=["a", "a"])), r"several columns of one name \(a\)"),
        (sqlite3.connect(":memory:").execute("SELECT 1 AS a, 2 AS a"), r"several columns of one name \(a\)"),
        (sqlite3.connect(":memory:").cursor(), "call its execute"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(frame: object, message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        store_frame(frame)
    with pytest.raises(GanvasError, match=message):
        read_frame(frame)


def test_an_error_of_the_database_is_a_sentence() -> None:
    class Broken(FakeCursor):
        def fetchmany(self, size: int) -> list[dict[str, Any]]:
            raise sqlite3.OperationalError("the server is gone")

    with pytest.raises(GanvasError, match=r"frame cannot be read .*the server is gone"):
        store_frame(Broken([{"a": 1}]))
    empty = Rows(path=str(store_frame({"a": pa.array([], pa.int64())})))
    with pytest.raises(GanvasError, match="has 0 rows"):
        empty.items(())
