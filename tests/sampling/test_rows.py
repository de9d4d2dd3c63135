"""Rows of a trained table: conditions hold in each, gaps are filled, what is known stays, and files say what they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.compute as compute
import pyarrow.csv
import pyarrow.parquet
import pytest

import ganvas
from ganvas import cli
from ganvas.api import Run
from ganvas.errors import GanvasError
from ganvas.media import NumberColumn


def draw_people(count: int = 600) -> arrow.Table:
    random = np.random.default_rng(0)
    group = random.choice(3, count, p=[0.6, 0.3, 0.1])
    born = np.datetime64("1990-01-01") + random.integers(0, 9000, count).astype("timedelta64[D]")
    return arrow.table(
        {
            "id": [f"p{k:05}" for k in range(count)],
            "age": random.integers(18, 80, count),
            "income": np.round(random.lognormal(10, 0.5, count), 2),
            "state": arrow.array(np.array([" TX", " CA", " NY=NJ"])[group], mask=random.random(count) < 0.1),
            "born": born,
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("table")
    pyarrow.csv.write_csv(draw_people(), folder / "people.csv")
    words = ["train", "--data", str(folder / "people.csv"), "--out", str(folder / "run"), "--samples", "4000"]
    words += ["--nets.width", "16", "--nets.d-widths", "16", "--train.batch", "100", "--train.snapshots", "1"]
    assert cli.main(words) == 0
    return ganvas.load(folder / "run")


def test_a_table_is_recognised_and_scored_beside_independent_columns(run: Run) -> None:
    assert run.recipe.name == "table"
    card = run.score_cards[-1]
    assert list(card["scores"]) == ["detection", "shapes", "pairs", "efficacy"]
    assert set(card["baselines"]) >= {"independent columns"}
    assert card["floor"]["shapes"] > 0.85
    assert card["baselines"]["independent columns"]["shapes"] > 0.85


def test_row_i_of_a_seed_is_always_the_same(run: Run) -> None:
    rows = run.rows(5000, seed=3)
    assert rows.slice(0, 7).equals(run.rows(7, seed=3))
    assert not rows.slice(0, 7).equals(run.rows(7, seed=4))
    assert rows.schema.names == ["id", "age", "income", "state", "born"]
    assert len(set(rows["id"].to_pylist())) == 5000, "new keys are unique"


def is_between(values: arrow.ChunkedArray, low: float, high: float) -> arrow.ChunkedArray:
    return compute.and_(compute.greater_equal(values, low), compute.less_equal(values, high))


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"age": (30, 40)}, lambda rows: is_between(rows["age"], 30, 40)),
        (
            {"age": (33, 36), "state": "TX"},
            lambda rows: compute.and_(is_between(rows["age"], 33, 36), compute.equal(rows["state"], " TX")),
        ),
        ({"state": ["CA", "NY=NJ"]}, lambda rows: compute.is_in(rows["state"], arrow.array([" CA", " NY=NJ"]))),
        (["state=NY=NJ"], lambda rows: compute.equal(rows["state"], " NY=NJ")),
        ({"state": None}, lambda rows: compute.is_null(rows["state"])),
        (
            ["income=20000.5..20400.25"],
            lambda rows: is_between(rows["income"], 20000.5, 20400.25),
        ),
        (["age=30..", "age=..31"], lambda rows: compute.is_in(rows["age"], arrow.array([30, 31]))),
        (["born=1995-01-01..1995-12-31"], lambda rows: compute.equal(compute.year(rows["born"]), 1995)),
    ],
)
def test_a_condition_holds_in_every_row(run: Run, where, holds) -> None:
    assert compute.all(holds(run.rows(2000, where=where))).as_py() is True


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["age=200"], "no row can have age = 200: rows have 18 to 7[5-9],"),
        (["agee=20"], "no column 'agee': take age"),
        (["state=ZZ"], "no row has state = 'ZZ': take"),
        (["age=40..30"], "lower end is above"),
        (["age=18..20", "age=60.."], "both conditions on age"),
        (["age"], "write it as age=30..40"),
        (["age=old"], "age is a number, got 'old'"),
        (["age=30.2..30.8"], "no row can have age"),
        (["born=tomorrow"], "born is a date, got 'tomorrow'"),
        (["id=p00001"], "id is not learnt"),
        (["age=missing"], "never missing"),
    ],
)
def test_a_condition_that_no_row_can_meet_says_why(run: Run, where: list[str], message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        run.rows(5, where=where)


def test_gaps_are_filled_and_what_is_known_stays(run: Run, tmp_path: Path) -> None:
    partial = arrow.table({"age": [20, None, 40], "note": ["a", "b", "c"], "state": [None, " CA", None]})
    full = run.complete(partial)
    assert full.schema.names == ["age", "note", "state", "id", "income", "born"]
    assert full["age"].to_pylist()[::2] == [20, 40]
    assert full["state"].to_pylist()[1] == " CA"
    assert full["note"].to_pylist() == ["a", "b", "c"]
    assert full["age"][1].as_py() is not None
    assert full["income"].null_count == full["born"].null_count == 0
    assert full.equals(run.complete(partial))
    with pytest.raises(GanvasError, match="no column of the training data: it needs at least one of id, age"):
        run.complete(arrow.table({"other": [1]}))
    one = run.complete(arrow.table({"age": [33]}))
    assert (one.num_rows, one["age"].to_pylist()) == (1, [33])
    many = arrow.table({"age": [None] * 50})
    assert len(set(run.complete(many)["income"].to_pylist())) > 20
    assert run.complete(many, seed=1)["income"] != run.complete(many)["income"]
    pyarrow.csv.write_csv(partial, tmp_path / "partial.csv")
    assert cli.main(["complete", str(run.path), str(tmp_path / "partial.csv"), "--out", str(tmp_path / "full.csv")]) == 0
    assert pyarrow.csv.read_csv(tmp_path / "full.csv")["age"].to_pylist()[::2] == [20, 40]
    assert "synthetic" in (tmp_path / "PROVENANCE.json").read_text()


def read_back(path: Path) -> Any:
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)
    if path.suffix == ".jsonl":
        return arrow.Table.from_pylist([json.loads(line) for line in path.read_text().splitlines()])
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return pyarrow.csv.read_csv(path, parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_files_by_their_ending(run: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"rows{suffix}"
    words = ["generate", str(run.path), "--n", "5000", "--where", "age=30..40", "--where", "state=CA", "--out", str(out)]
    assert cli.main(words) == 0
    rows = read_back(out)
    assert rows.num_rows == 5000
    assert set(rows["state"].to_pylist()) == {" CA"}
    assert min(rows["age"].to_pylist()) >= 30
    assert "age=30..40" in (tmp_path / "PROVENANCE.json").read_text()
    expected = run.rows(5000, where=["age=30..40", "state=CA"])
    assert rows["income"].to_pylist() == expected["income"].to_pylist()


def test_what_rows_do_not_have_is_refused(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["generate", str(run.path), "--grid"]) == 1
    assert "no --grid" in capsys.readouterr().err
    assert cli.main(["generate", str(run.path), "--out", str(tmp_path / "a.xlsx")]) == 1
    assert "tables are written as .csv" in capsys.readouterr().err
    assert cli.main(["complete", str(run.path)]) == 1
    assert "which table?" in capsys.readouterr().err


def test_limits_never_leave_the_range_of_numbers_that_a_column_has() -> None:
    column = NumberColumn(
        name="x", type="int64", edges=(10.0,), points=(None, None), ranks=(0.0, 0.5, 1.0), lowest=0.0, highest=100.0,
        shares=(1.0,), decimals=0, step=5,
    )  # fmt: skip
    assert column.round_inwards(7, 23) == (10, 20)
    places = column.limit_places(np.array([0, 1, 1]), np.array([0.5, 0.0, 1.0]), 10, 20)
    assert column.decode(np.array([0, 1, 1]), places, np.arange(3)).to_pylist() == [10, 10, 20]
