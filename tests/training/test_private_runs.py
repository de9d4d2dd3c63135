"""Private runs from command to rows: the data is looked at once, and nothing of it is scored."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest

from ganvas.commands.train import main
from ganvas.core import Dataset, StatisticsRelease
from ganvas.errors import GanvasError
from ganvas.methods import PairMatching
from ganvas.recipe import Recipe
from ganvas.report.evaluate import evaluate
from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import Sampler
from ganvas.sampling.rows import rows
from ganvas.training.private import choose_private_recipe
from ganvas.training.release import LEDGER_NAME, STATISTICS_NAME
from ganvas.training.session import resume, train
from small_recipes import small

BOUNDS = '[age]\nlowest = 0\nhighest = 99\nbins = 10\n[job]\ncategories = ["nurse", "smith"]\n'
COUNT = 400


def write_people(folder: Path, name: str = "people.csv", seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    age = random.integers(20, 70, COUNT)
    job = np.where(age + random.normal(0, 10, COUNT) > 45, "smith", "nurse")
    path = folder / name
    pyarrow.csv.write_csv(pyarrow.table({"age": age, "job": job}), path)
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "bounds.toml").write_text(BOUNDS)
    return choose_private_recipe(None, str(write_people(tmp_path)), 1.0, str(tmp_path / "bounds.toml"))


@pytest.fixture
def releases(monkeypatch: pytest.MonkeyPatch) -> list[StatisticsRelease]:
    """All releases that are made."""
    made_so_far: list[StatisticsRelease] = []
    release = PairMatching.release

    def count_release(method: PairMatching, data: Dataset) -> StatisticsRelease:
        made_so_far.append(release(method, data))
        return made_so_far[-1]

    monkeypatch.setattr(PairMatching, "release", count_release)
    return made_so_far


def train_briefly(recipe: Recipe, out: Path, **settings: Any) -> RunFolder:
    return train(recipe, out=out, samples=4_000, quiet=True, device="cpu", threads=1, **settings)


def test_a_run_releases_once_whatever_happens_to_it(
    recipe: Recipe, releases: list[StatisticsRelease], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(recipe, out=tmp_path / "run", samples=4_000, device="cpu", threads=1)
    assert "an attacker's guess whether you were in the data is right in at most 73.2% of cases" in capsys.readouterr().err
    statistics = (run.path / STATISTICS_NAME).read_bytes()
    resume(run.path, samples=6_000, quiet=True, device="cpu")
    for folder in run.checkpoints:  # as if it was killed before the first one
        shutil.rmtree(folder)
    (run.path / "checkpoints" / "last").unlink()
    resume(run.path, samples=7_000, quiet=True, device="cpu")
    assert len(releases) == 1
    assert (run.path / STATISTICS_NAME).read_bytes() == statistics
    state = Sampler(run, "last", "cpu").nets.state_dict()
    assert (state["pairs.shares"] == releases[0].tensors["shares"]).all()
    ledger = json.loads((run.path / LEDGER_NAME).read_text())
    assert [(entry["purpose"], entry["steps"]) for entry in ledger["releases"]] == [("pair tables", 1)]
    assert ledger["epsilon"] <= 1.0


def test_a_ledger_without_its_statistics_is_refused(recipe: Recipe, releases: list[StatisticsRelease], tmp_path: Path) -> None:
    run = train_briefly(recipe, tmp_path / "run")
    shutil.rmtree(run.path / "checkpoints")
    (run.path / STATISTICS_NAME).unlink()
    with pytest.raises(GanvasError, match="says that the statistics were released"):
        resume(run.path, samples=6_000, quiet=True, device="cpu")
    assert len(releases) == 1


def test_rows_are_generated_within_the_bounds_and_nothing_is_scored(recipe: Recipe, tmp_path: Path) -> None:
    run = train_briefly(recipe, tmp_path / "run")
    people = rows(run, 50, seed=0, device="cpu")
    assert people.num_rows == 50
    assert all(0 <= age <= 99 for age in people["age"].to_pylist())
    assert set(people["job"].to_pylist()) <= {"nurse", "smith", "other"}
    with pytest.raises(GanvasError):
        rows(run, 50, where=["age=20..30"], device="cpu")
    assert not any(card["scores"] for card in run.score_cards)
    assert "hand in other rows" in run.score_cards[-1]["cautions"][0]
    assert not (run.path / "checkpoints" / "best").exists()
    assert run.find_checkpoint("best") == run.find_checkpoint("last")
    with pytest.raises(GanvasError, match="any score against its training rows"):
        evaluate(run, device="cpu")
    card = evaluate(run, data=write_people(tmp_path, "others.csv", 1), device="cpu", n=100)
    assert card["scores"]
    assert "test" in card["protocol"]["reference"]
    assert "training" not in card["protocol"]["reference"] + card["protocol"]["held_out"]


def test_a_test_part_is_scored_at_the_end_and_chooses_no_checkpoint(recipe: Recipe, tmp_path: Path) -> None:
    write_people(tmp_path, "people.train.csv")
    write_people(tmp_path, "people.test.csv", 1)
    recipe = choose_private_recipe(None, str(tmp_path / "people.train.csv"), 1.0, str(tmp_path / "bounds.toml"))
    run = train_briefly(recipe, tmp_path / "run")
    assert [bool(card["scores"]) for card in run.score_cards if card["kind"] == "snapshot"] == [False, False]
    final = run.score_cards[-1]
    assert final["scores"]
    assert "compare with the test rows alone" in final["cautions"][0]
    assert not (run.path / "checkpoints" / "best").exists()


def test_rows_by_noisy_gradients_keep_to_the_bounds(recipe: Recipe, tmp_path: Path) -> None:
    recipe = choose_private_recipe("private_table_sgd", str(tmp_path / "people.csv"), 3.0, str(tmp_path / "bounds.toml"))
    recipe = small(recipe, batch=40, samples=400)
    run = train(recipe, out=tmp_path / "run", quiet=True, device="cpu", threads=1)
    assert set(rows(run, 50, seed=0, device="cpu")["job"].to_pylist()) <= {"nurse", "smith", "other"}
    ledger = json.loads((run.path / LEDGER_NAME).read_text())
    assert [(entry["purpose"], entry["q"], entry["steps"]) for entry in ledger["releases"]] == [("gradients of D", 0.1, 10)]
    assert 2.9 < ledger["epsilon"] <= 3.0
    with pytest.raises(GanvasError, match="any score against its training rows"):
        evaluate(run, device="cpu")


@pytest.mark.parametrize(
    ("name", "data", "bounds", "words"),
    [
        ("table", "people.csv", "bounds.toml", "leave the recipe out"),
        (None, None, "bounds.toml", "takes tables"),
        (None, "people.csv", None, "NEW.toml"),
    ],
)
def test_refusals(recipe: Recipe, tmp_path: Path, name: str | None, data: str | None, bounds: str | None, words: str) -> None:
    paths = [None if path is None else str(tmp_path / path) for path in (data, bounds)]
    with pytest.raises(GanvasError, match=words):
        choose_private_recipe(name, paths[0], 1.0, paths[1])


def test_a_new_file_of_bounds_is_written_to_fill_in(tmp_path: Path) -> None:
    people, bounds = write_people(tmp_path), tmp_path / "new.toml"
    with pytest.raises(GanvasError, match=r"new\.toml is new.*Fill in"):
        choose_private_recipe(None, str(people), 1.0, str(bounds))
    assert '["age"]' in bounds.read_text()
    with pytest.raises(GanvasError, match="still open"):
        choose_private_recipe(None, str(people), 1.0, str(bounds))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--bounds", "bounds.toml"], "go together"),
        (["--private", "1"], "NEW.toml"),
        (["--private", "1", "--bounds", "bounds.toml", "--degrade", "x2"], "without --from, --degrade and"),
        (["--private", "-1", "--bounds", "bounds.toml"], "epsilon must be above 0"),
        (["--private", "-1", "--bounds", "new.toml"], "epsilon must be above 0"),  # before a new file is written
        (["--private", "x", "--bounds", "bounds.toml"], "epsilon must be above 0, a number, got 'x'"),
    ],
)
def test_the_command_refuses_what_makes_no_private_run(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GanvasError, match=message):
        main(["--data", "people.csv", *words])
