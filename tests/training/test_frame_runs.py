"""Runs on frames: they resume, are scored, attacked and completed like runs on files."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import ganvas
from ganvas.api import Run
from ganvas.data import Rows, Windows
from ganvas.data.tables.frames import FRAMES_FOLDER
from ganvas.errors import GanvasError
from ganvas.media import Table
from ganvas.nets import RowPerceptrons
from ganvas.recipe import Recipe
from ganvas.recipes import find_recipe
from ganvas.system.files import find_cache_folder


def draw_columns(count: int, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, count)
    return {
        "age": age,
        "income": np.round(random.lognormal(10 + age / 100, 0.5), 2),
        "state": random.choice(["TX", "CA"], count),
    }


def narrow_table(samples: int) -> Recipe:
    recipe = find_recipe("table")
    train = replace(recipe.train, samples=samples, minutes=None, batch=100, snapshots=1)
    scoring = replace(recipe.evaluation, samples=200, snapshot_samples=100)
    return replace(recipe, nets=RowPerceptrons(width=16, d_widths=(16,)), train=train, evaluation=scoring)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))  # that of all tests
        out = tmp_path_factory.mktemp("frames") / "run"
        yield ganvas.train(narrow_table(400), data=draw_columns(600), out=out, target="state", quiet=True)


def test_a_run_on_a_frame_resumes_without_it(run: Run) -> None:
    source = run.recipe.data
    assert isinstance(source, Rows)
    assert Path(source.path).parent == find_cache_folder() / FRAMES_FOLDER
    assert not list(run.path.rglob("*.parquet")), "people hand on a run, and not their data with it"
    assert isinstance(run.recipe.medium, Table)
    assert run.recipe.medium.target == "state"
    longer = ganvas.resume(run.path, samples=600, quiet=True)
    assert longer.find_checkpoint("last").name == "000000600"
    again = ganvas.train(narrow_table(600), data=pa.table(draw_columns(600)), out=run.path, target="state", quiet=True)
    assert again.find_checkpoint("last").name == "000000600", "the same frame in another form is the same data"


def test_a_run_on_a_frame_takes_other_frames(run: Run) -> None:
    other = draw_columns(300, seed=1)
    assert ganvas.evaluate(run, data=other, n=200)["scores"]["shapes"] > 0.5
    assert run.attack(other, targets=100)["attacks"]
    gaps = pa.table({"age": pa.array([30, None, 50])})
    full = run.complete(gaps.to_pydict())
    assert full["age"].to_pylist()[::2] == [30, 50]
    assert [full[name].null_count for name in full.schema.names] == [0, 0, 0]


def test_a_frame_that_is_gone_says_how_to_put_it_back(run: Run, tmp_path: Path) -> None:
    assert isinstance(run.recipe.data, Rows)
    path = Path(run.recipe.data.path)
    shutil.move(path, tmp_path / path.name)
    with pytest.raises(GanvasError, match=r"is gone from the cache: call ganvas.train with the same frame"):
        ganvas.evaluate(run)
    ganvas.train(narrow_table(600), data=draw_columns(600), out=run.path, target="state", quiet=True)
    assert path.exists()


def test_a_frame_of_series_is_cut_into_windows(tmp_path: Path) -> None:
    columns = {"hour": range(200), "warmth": np.sin(np.arange(200) / 4).round(2)}
    with pytest.raises(GanvasError, match="no column 'day'"):
        ganvas.train(data=columns, window=8, time="day", out=tmp_path / "run", quiet=True)
    with pytest.raises(GanvasError, match="window, key and time are for time series"):
        ganvas.train("table", data=columns, window=8, out=tmp_path / "run", quiet=True)
    assert isinstance(find_recipe("series").data, Windows)


def test_only_tables_have_a_target(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match="target is a column of a table"):
        ganvas.train("dcgan", target="age", out=tmp_path / "run", quiet=True)
    with pytest.raises(GanvasError, match="target must be one of age"):
        ganvas.train("table", data=draw_columns(50), target="agee", out=tmp_path / "run", quiet=True)
