"""Series from the command line: recognised, trained, scored beside shuffled columns, and written in long form."""

from pathlib import Path

import pyarrow.csv
import pytest

import ganvas
from ganvas import cli
from ganvas.api import Run
from small_recipes import small_series

SMALL = ["--nets.z-window", "4", "--nets.trunk", "8", "--nets.width", "8", "--nets.d-width", "8", "--nets.d-widths", "8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    pyarrow.csv.write_csv(small_series(60), folder / "rooms.csv")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    words = ["train", "--data", str(folder / "rooms.csv"), "--window", "5", "--key", "room", "--time", "hour"]
    words += ["--out", str(folder / "run"), "--samples", "2000", "--train.batch", "50", "--train.snapshots", "1", *SMALL]
    assert cli.main(words) == 0
    return ganvas.load(folder / "run")


def test_series_are_scored_beside_shuffled_columns_and_other_training_windows(run: Run) -> None:
    assert run.recipe.name == "series"
    card = run.score_cards[-1]
    assert list(card["scores"]) == ["detection", "shapes", "steps", "autocorrelation", "crosscorrelation", "forecast"]
    assert set(card["baselines"]) == {"shuffled columns"}
    assert card["floor"]["detection"] < 0.8
    assert card["floor"]["shapes"] > 0.85


def test_windows_are_written_in_long_form(run: Run, tmp_path: Path) -> None:
    assert cli.main(["generate", str(run.path), "--n", "40", "--out", str(tmp_path / "out")]) == 0
    rows = pyarrow.csv.read_csv(tmp_path / "out" / "samples.csv")
    assert rows.schema.names == ["room", "step", "floor", "warmth", "power", "is_open"]
    assert set(rows["step"].to_pylist()) <= set(range(5))
    floors = rows.group_by("room").aggregate([("floor", "count_distinct")])
    assert len(floors) == 40
    assert set(floors["floor_count_distinct"].to_pylist()) == {1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dcgan_small", "--window", "5"], "for time series, and dcgan_small is not"),
        (["--window", "1"], "window must be 2 to"),
        (["--window", "5", "--key", "rom"], "no column 'rom' for `key`"),
        (["--window", "500", "--key", "room", "--time", "hour"], "fewer than two windows of 500"),
    ],
)
def test_what_is_no_series_is_refused(folder: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", *words, "--data", str(folder / "rooms.csv"), "--out", str(folder / "none")]) == 1
    assert message in capsys.readouterr().err
