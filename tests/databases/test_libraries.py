"""Frames of pandas, polars and DuckDB, as these libraries really hand them over. `make test-databases` installs them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

pandas = pytest.importorskip("pandas", reason="pandas is not here: make test-databases")
polars = pytest.importorskip("polars", reason="polars is not here: make test-databases")
duckdb = pytest.importorskip("duckdb", reason="duckdb is not here: make test-databases")

from ganvas.data import Rows, TableRows, read_frame  # noqa: E402
from ganvas.data.stored_frames import store_frame  # noqa: E402
from ganvas.errors import GanvasError  # noqa: E402

COLUMNS: dict[str, list[Any]] = {
    "age": [k % 40 + 18 for k in range(100)],
    "pay": [k / 4 if k % 5 else None for k in range(100)],
    "state": ["TX", "CA", "NY", "TX"] * 25,
    "since": [datetime(2024, 1, 1 + k % 28, k % 24, tzinfo=UTC) for k in range(100)],
    "fee": [Decimal("1.50"), Decimal("2.25")] * 50,
    "tags": [["a"], []] * 50,
}
KINDS = ["integer", "number", "category", "date", "number", "text"]


def make_pandas() -> Any:
    frame = pandas.DataFrame(COLUMNS)
    frame["state"] = frame["state"].astype("category")
    return frame.sample(frac=1.0, random_state=0)  # with an index of shuffled row numbers


def make_polars() -> Any:
    return polars.DataFrame(COLUMNS).with_columns(polars.col("state").cast(polars.Categorical))


def make_relation() -> Any:
    people = make_pandas()  # which DuckDB finds by its name
    assert len(people) == 100
    return duckdb.sql("SELECT age, pay, state, since, fee, tags FROM people")


def read_both(make: Any) -> list[TableRows]:
    """Rows read from memory, and by way of the stored file."""
    return [read_frame(make()), Rows(path=str(store_frame(make()))).items(())]


@pytest.mark.parametrize("make", [make_pandas, make_polars, make_relation])
def test_a_frame_is_read_with_its_types(make: Any) -> None:
    for rows in read_both(make):
        assert [survey.name for survey in rows.surveys] == list(COLUMNS)
        assert [survey.kind for survey in rows.surveys] == KINDS
        assert rows.surveys[1].missing_share == pytest.approx(0.2)
        assert sorted(rows.sample["age"].to_pylist()) == sorted(COLUMNS["age"])
        assert {moment.utcoffset().total_seconds() for moment in rows.sample["since"].to_pylist()} == {0}


@pytest.mark.parametrize("make", [make_pandas, make_polars])
def test_the_same_frame_is_stored_once(make: Any) -> None:
    assert store_frame(make()) == store_frame(make())


def test_an_index_with_a_name_is_a_column() -> None:
    frame = pandas.DataFrame(COLUMNS).drop(columns="tags").set_index("state")
    assert read_frame(frame).sample.schema.names == ["age", "pay", "since", "fee", "state"]


def test_a_result_of_duckdb_is_a_frame() -> None:
    rows = read_frame(duckdb.connect().execute("SELECT range AS n, range % 3 AS k FROM range(50)"))
    assert (len(rows), rows[4]) == (50, {"n": 4, "k": 1})


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "a name of its own"),
        (pandas.DataFrame({"a": [1, "x"] * 20}), "one type"),
        (pandas.DataFrame(), "no columns"),
        (pandas.Series([1, 2]).to_numpy(), "ndarray has no Arrow stream"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(frame: Any, message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        store_frame(frame)
    with pytest.raises(GanvasError, match=message):
        read_frame(frame)
