"""What columns are taken for: types of texts, kinds, missing values and the sentences about them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ganvas.core import ColumnSurvey
from ganvas.data.tables import read_frame, read_table_rows, summarise_surveys

N = 200


def survey(values: list[object] | pa.Array, name: str = "a") -> ColumnSurvey:
    return read_frame(pa.table({name: values})).surveys[0]


def survey_texts(texts: list[str], tmp_path: Path) -> tuple[ColumnSurvey, str]:
    """The survey of a CSV file's column, and the type of its values."""
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f'"{text}",1\n' for text in texts))
    items = read_table_rows(str(tmp_path / "a.csv"))
    return items.surveys[0], str(items.sample.schema.field("a").type)


@pytest.mark.parametrize(
    ("texts", "kind", "type_"),
    [
        ([str(i % 9) for i in range(N)], "integer", "int64"),
        ([f"-{i % 9}" for i in range(N)], "integer", "int64"),
        ([f"{i % 9}.5" for i in range(N)], "number", "double"),
        ([f"{i % 9}e-3" for i in range(N)], "number", "double"),
        ([f" {i % 9} " for i in range(N)], "integer", "int64"),
        ([f"0{i % 9}" for i in range(N)], "category", "string"),  # a code keeps its zero
        ([str(i + 5) for i in range(N)], "key", "int64"),
        ([f"K-{i:04}" for i in range(N)], "key", "string"),
        (["yes", "no"] * (N // 2), "category", "string"),
        (["1", "2", "three", "4"] * (N // 4), "category", "string"),
        (["x"] * N, "constant", "string"),
        ([""] * N, "constant", "string"),
        (["NA", "null", "NaN", ""] * (N // 4), "constant", "string"),
        ([f"some words about person number {i}" for i in range(N)], "text", "string"),
        ([f"{1 + i % 28:02}.02.2024" for i in range(N)], "date", "timestamp[s]"),
        ([f"2024-01-01 {i % 24:02}:30" for i in range(N)], "date", "timestamp[s]"),
        ([f"2024-13-{1 + i % 28:02}" for i in range(N)], "category", "string"),  # dates that are none
        ([f"{i}" * 25 for i in range(1, 9)] * 25, "category", "string"),  # beyond int64
    ],
)  # fmt: skip
def test_kinds_of_texts(texts: list[str], kind: str, type_: str, tmp_path: Path) -> None:
    found, found_type = survey_texts(texts, tmp_path)
    assert (found.kind, found_type) == (kind, type_)
    assert found.sentence.startswith("a: ")


def test_a_question_mark_is_missing_among_numbers_alone(tmp_path: Path) -> None:
    found, type_ = survey_texts(["1", "2", "?", "4"] * 50, tmp_path)
    assert (found.kind, type_, found.missing_share) == ("integer", "int64", 0.25)
    assert '"?" in 50 rows counts as missing' in found.sentence
    found, _ = survey_texts(["a", "b", "?", "c"] * 50, tmp_path)
    assert (found.kind, found.missing_share, found.distinct_count) == ("category", 0.0, 4)


def test_mixed_types_are_said(tmp_path: Path) -> None:
    found, _ = survey_texts(["1", "2", "many", "4"] * 50, tmp_path)
    assert "75.0% of its values are numbers" in found.sentence


def test_a_text_in_the_last_row_of_many_blocks_makes_a_column_text(tmp_path: Path) -> None:
    found, type_ = survey_texts([str(i % 50) for i in range(900_000)] + ["x"], tmp_path)
    assert (found.kind, type_) == ("category", "string")


def test_few_impossible_days_are_missing_and_many_make_texts(tmp_path: Path) -> None:
    days = [f"2024-01-{1 + i % 31:02}" for i in range(N)]
    found, type_ = survey_texts([*days[1:], "2024-02-31"], tmp_path)
    assert (found.kind, type_, found.missing_share) == ("date", "timestamp[s]", 1 / N)
    assert "1 dates that no calendar has" in found.sentence
    found, type_ = survey_texts([*days[9:], *["2024-02-31"] * 9], tmp_path)
    assert (found.kind, type_) == ("category", "string")


def test_the_order_of_day_and_month_follows_from_the_data(tmp_path: Path) -> None:
    found, _ = survey_texts(["01/02/2024", "03/04/2024"] * 50, tmp_path)
    assert "%m/%d/%Y would fit as well as %d/%m/%Y" in found.sentence
    found, _ = survey_texts(["01/31/2024", "03/04/2024"] * 50, tmp_path)
    assert "2024-01-31" in found.sentence
    assert "would fit" not in found.sentence


def test_missing_shares_and_distinct_values() -> None:
    found = survey([1.5, None, float("nan"), 2.5] * 50)
    assert (found.kind, found.missing_share, found.distinct_count) == ("number", 0.5, 2)
    assert survey([1.0, None, 3.0, 3.0] * 50).kind == "integer"  # whole numbers, as pandas has them with gaps
    assert survey([True, False] * 50).kind == "category"
    assert survey(["x", None] * 50).kind == "category"
    assert survey(pa.nulls(50)).kind == "constant"
    assert survey([[1], [2]] * 50).kind == "text"
    assert survey([b"1", b"2"] * 50).kind == "text"


def test_different_integers_are_a_key_by_name_or_order_alone() -> None:
    shuffled = np.random.default_rng(0).permutation(10_000_000)[:N]
    assert survey(pa.array(shuffled), "income").kind == "integer"
    assert survey(pa.array(shuffled), "customer_id").kind == "key"
    assert survey(pa.array(shuffled), "CustomerID").kind == "key"
    assert survey(pa.array(np.sort(shuffled)), "income").kind == "key"
    assert survey([1, 2, 3], "id").kind == "integer"  # too few rows to tell


def test_a_million_different_texts() -> None:
    found = survey(pa.array(np.arange(1_000_000)).cast(pa.string()).cast(pa.large_string()))
    assert found.kind == "key"
    assert found.distinct_count > 200_000


def test_the_summary_counts_kinds() -> None:
    table = pa.table({"a": [1, 2] * 30, "b": ["x", "y"] * 30, "c": ["z", "y"] * 30, "d": range(60)})
    assert summarise_surveys(read_frame(table).surveys, 60) == "60 rows, 4 columns: 2 categories, 1 integer, 1 key"
