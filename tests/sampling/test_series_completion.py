"""Series completed, forecast and joined: known cells stay, answers follow from the seed, and nothing sees what comes later."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pytest
import torch

import ganvas
from ganvas import cli
from ganvas.api import Run
from ganvas.sampling.gaps import find_gap_window

COLUMNS = ("heat", "wind", "sky")
WINDOW = 8


def make_stations(rows: int = 60) -> pyarrow.Table:
    """Two stations, hour by hour, with a static, two numbers that wander and a category."""
    random = np.random.default_rng(0)
    start = datetime(2024, 1, 1)
    parts = [
        pyarrow.table(
            {
                "station": [name] * rows,
                "hour": pyarrow.array([start + timedelta(hours=k) for k in range(rows)], pyarrow.timestamp("s")),
                "coast": [coast] * rows,
                "heat": np.round(10 + np.cumsum(random.normal(0, 0.3, rows)), 1),
                "wind": random.integers(0, 9, rows),
                "sky": np.where(random.random(rows) < 0.5, "clear", "cloud"),
            }
        )
        for name, coast in (("A", "west"), ("B", "east"))
    ]
    return pyarrow.concat_tables(parts)


def blank(table: pyarrow.Table, is_blank: np.ndarray, names: tuple[str, ...] = COLUMNS) -> pyarrow.Table:
    """The table without the cells of these rows."""
    for name in names:
        values = pyarrow.array(table[name].to_pylist(), table[name].type, mask=is_blank)
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("stations")
    pyarrow.csv.write_csv(make_stations(), folder / "stations.csv")
    words = ["train", "--data", str(folder / "stations.csv"), "--window", str(WINDOW), "--key", "station", "--time", "hour"]
    words += ["--out", str(folder / "run"), "--samples", "300", "--train.batch", "50", "--train.snapshots", "1"]
    words += ["--nets.z-window", "4", "--nets.trunk", "8", "--nets.width", "8", "--nets.d-width", "8", "--nets.d-widths", "8"]
    assert cli.main(words) == 0
    return ganvas.load(folder / "run")


@pytest.mark.parametrize("rows", [5, 20])  # less than a window, and more
def test_gaps_are_filled_and_known_cells_stay(run: Run, rows: int) -> None:
    table = make_stations(rows)
    shuffled = table.take(np.random.default_rng(1).permutation(len(table)))
    is_blank = np.random.default_rng(2).random(len(table)) < 0.5
    partial = blank(shuffled, is_blank, ("heat", "sky"))
    full = run.complete(partial, seed=3)
    assert full.schema.names == partial.schema.names
    for name in partial.schema.names:
        known = partial[name].is_valid().to_numpy()
        assert full[name].null_count == 0
        assert full[name].filter(known).to_pylist() == shuffled[name].filter(known).to_pylist()
    assert full.equals(run.complete(partial, seed=3))
    assert not full.equals(run.complete(partial, seed=4))


def test_numbers_of_files_keep_decimals_that_the_run_has_not(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fine.csv").write_text(
        "station,hour,heat,wind\nA,2024-01-01 00:00:00,9.87654,2.5\nA,2024-01-01 01:00:00,,\nA,2024-01-01 02:00:00,10.1,3\n"
    )
    assert cli.main(["complete", str(run.path), str(tmp_path / "fine.csv"), "--out", str(tmp_path / "full.csv")]) == 0
    lines = (tmp_path / "full.csv").read_text().splitlines()
    assert lines[0] == "station,hour,heat,wind,coast,sky"
    assert lines[1].startswith("A,2024-01-01 00:00:00,9.87654,2.5,")
    assert ",," not in lines[2]
    assert len({line.split(",")[4] for line in lines[1:]}) == 1  # a static


def test_a_forecast_counts_time_on_and_does_not_see_what_comes_after(run: Run) -> None:
    table, steps = make_stations(30), 11
    hours = np.tile(np.arange(30), 2)
    recent = table.filter(pyarrow.array(hours < 30 - steps))
    forecast = run.complete(recent, seed=5, steps=steps)
    assert forecast["station"].to_pylist() == table["station"].to_pylist()
    assert forecast["hour"].to_pylist() == table["hour"].to_pylist()
    assert forecast["coast"].to_pylist() == table["coast"].to_pylist()
    for name in COLUMNS:
        assert forecast[name].null_count == 0
        assert forecast[name].to_numpy()[hours < 19].tolist() == table[name].to_numpy()[hours < 19].tolist()
    assert forecast.select(COLUMNS).equals(run.complete(blank(table, hours >= 30 - steps), seed=5).select(COLUMNS))


def test_draws_are_numbered_and_the_first_is_that_of_the_seed(run: Run) -> None:
    recent = make_stations(12)
    answers = run.complete(recent, seed=1, steps=4, draws=3)
    assert answers.schema.names[0] == "draw"
    assert answers["draw"].to_numpy().tolist() == np.repeat([0, 1, 2], 32).tolist()
    first, second = (answers.filter(pyarrow.compute.equal(answers["draw"], k)).drop_columns(["draw"]) for k in (0, 1))
    assert first.equals(run.complete(recent, seed=1, steps=4))
    assert not first.equals(second)


def test_a_gap_before_all_that_is_known_and_rows_that_are_missing(run: Run) -> None:
    table = make_stations(20)
    hours = np.tile(np.arange(20), 2)
    full = run.complete(blank(table, hours < 17).filter(pyarrow.array(hours != 18)))
    assert all(full[name].null_count == 0 for name in COLUMNS)
    assert full["hour"].to_pylist() == table["hour"].filter(pyarrow.array(hours != 18)).to_pylist()


def test_statics_that_are_not_known_are_the_same_in_a_whole_series(run: Run) -> None:
    table = blank(make_stations(40), np.ones(80, bool), ("coast", "heat"))
    full = run.complete(table.filter(pyarrow.array(np.tile(np.arange(40), 2) != 20)))
    assert full.group_by("station").aggregate([("coast", "count_distinct")])["coast_count_distinct"].to_pylist() == [1, 1]


@pytest.mark.parametrize(
    ("change", "words", "message"),
    [
        ("station,hour,rain\nA,2024-01-01 00:00:00,1\n", [], "no column of the training data: it needs at least one of coast"),
        ("station,heat\nA,1\nA,2\n", [], "has no column 'hour' for `time`"),
        ("hour,heat\n2024-01-01 00:00:00,1\n", [], "has no column 'station' for `key`"),
        ("station,hour,heat\nC,2024-01-01 00:00:00,1\n", [], "the run has never seen station C: it knows A, B"),
        ("station,hour,heat\nA,2024-01-01 00:00:00,1\n", ["--steps", "0"], "steps must be 1 to"),
        ("station,hour,heat\nA,2024-01-01 00:00:00,1\n", ["--steps", "3"], "the step of 'hour' is unknown"),
        ("station,hour,heat\nA,2024-01-01 00:00:00,1\n", ["--draws", "0"], "draws must be 1 to"),
        ("station,hour,heat\nA,soon,1\n", [], "'hour' is no time"),
        ("station,hour,heat\nA,2024-01-01 00:00:00,warm\n", [], "column 'heat' has type string"),
    ],
)
def test_files_that_do_not_fit(
    run: Run, change: str, words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "part.csv").write_text(change)
    assert cli.main(["complete", str(run.path), str(tmp_path / "part.csv"), *words]) == 1
    assert message in capsys.readouterr().err


def test_long_series(run: Run, tmp_path: Path) -> None:
    many, few, short = (run.rows(n, steps=steps, seed=2) for n, steps in ((70, 30), (3, 30), (3, 13)))
    assert len(many) == 70 * 30
    assert many.slice(0, 90).equals(few)
    assert few.filter(pyarrow.compute.less(few["step"], 13)).equals(short)
    assert not few.equals(run.rows(3, steps=30, seed=3))
    assert few.group_by("series").aggregate([("coast", "count_distinct")])["coast_count_distinct"].to_pylist() == [1, 1, 1]
    words = ["generate", str(run.path), "--n", "3", "--steps", "30", "--seed", "2", "--out", str(tmp_path / "long.csv")]
    assert cli.main(words) == 0
    written = pyarrow.csv.read_csv(tmp_path / "long.csv")
    assert written["step"].to_pylist() == list(range(30)) * 3
    assert written["sky"].to_pylist() == few["sky"].to_pylist()


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--steps", "0"], "steps must be 1 to"), (["--steps", "9", "--grid"], "long series, which have no --grid")],
)
def test_long_series_that_cannot_be(run: Run, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", str(run.path), *words]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gaps", "start"),
    [
        ([], None),
        ([(10, 14)], 8),  # four rows in the middle of eight
        ([(0, 2)], 0),
        ([(18, 20)], 12),  # at the end
        ([(10, 20)], 6),  # too wide: after half a window
        ([(3, 4), (15, 16)], 0),
    ],
)
def test_windows_lie_around_their_gap(gaps: list[tuple[int, int]], start: int | None) -> None:
    is_complete = torch.ones(20, dtype=torch.bool)
    for first, end in gaps:
        is_complete[first:end] = False
    assert find_gap_window(is_complete, WINDOW) == start
