"""Training as a user asks for it: run folders, resuming, refusals, interruptions. Small networks, real clothes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import load_file

import ganvas
from ganvas import api, recipes
from ganvas.core import Clock
from ganvas.data import Files
from ganvas.errors import GanvasError
from ganvas.evaluation.judges import DISTANCES
from ganvas.extractors import FashionClassifier
from ganvas.metrics import DensityCoverage, Frechet
from ganvas.recipe import Judge, Recipe, Trial
from ganvas.runs import folder as runs
from ganvas.sampling.generator import Sampler
from ganvas.sampling.writing import write_samples
from ganvas.training.loop import Loop
from ganvas.training.plan import Planner
from small_recipes import small

DATA = Path(__file__).parents[1] / "data" / "fashion_test_200.npz"


def tiny(name: str = "auto", **train: Any) -> Recipe:
    recipe = small(recipes.find_recipe(name), **{"samples": 160, "batch": 16} | train)
    recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=60, snapshot_samples=20))
    return recipe if name in ("ring", "grid") else replace(recipe, data=Files(path=str(DATA)))


def final_tensors(run: runs.RunFolder) -> dict[str, torch.Tensor]:
    folder = run.find_checkpoint("last")
    return load_file(folder / "nets.safetensors") | load_file(folder / "optim.safetensors")


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An uninterrupted run."""
    return api.train(tiny(), out=tmp_path_factory.mktemp("straight") / "run", quiet=True)


def test_the_folder_is_the_interface(straight: Any) -> None:
    names = {p.name for p in straight.path.iterdir()}
    assert names == {
        "recipe.json",
        "codec.json",
        "log.jsonl",
        "samples",
        "scores.jsonl",
        "checkpoints",
        "report.html",
        "exhibits",
    }
    assert {p.name for p in (straight.path / "exhibits").iterdir()} == {"classes.png", "nearest.png", "captions.json"}
    last = straight.read_lines("log.jsonl")[-1]
    assert last["samples"] == 160
    assert {"D/adversarial", "G/adversarial"} <= last["terms"].keys()
    assert {"D/real", "D/fake"} <= last["seen"].keys()
    assert {"G", "D", "F"} == last["gradient_norm"].keys() == last["lr"].keys()
    pictures = sorted(p.name for p in (straight.path / "samples").iterdir())
    assert pictures[0] == "000000000.png"
    assert pictures[-1] == "000000160.png"
    assert [card["kind"] for card in straight.score_cards][-1] == "final"
    meta = json.loads((straight.path / "recipe.json").read_text())
    assert meta["environment"]["threads"] == torch.get_num_threads()
    assert meta["data"]["count"] == 200


def test_generate_from_python(straight: Any) -> None:
    images = straight.generate(5, seed=3)
    assert images.dtype == np.uint8
    assert images.shape == (5, 32, 32, 1)
    assert np.array_equal(images, straight.generate(70, seed=3)[:5])  # sample i is the same whatever n is
    assert not np.array_equal(images, straight.generate(5, seed=4))
    chosen = straight.generate(0, seeds=[4, 3])  # the first of each
    assert np.array_equal(chosen, np.concatenate([straight.generate(1, seed=4), images[:1]]))
    assert np.array_equal(images, ganvas.load(straight.path).generate(5, seed=3))


@pytest.mark.parametrize("form", ["files", "grid", "npy", "zip"])
def test_generated_files_say_so(straight: Any, tmp_path: Path, form: str) -> None:
    written = write_samples(Sampler(straight), 66, 0, tmp_path / "out", form)
    if form == "npy":
        assert np.array_equal(np.load(written), straight.generate(66))
    if form == "files":
        names = sorted(p.name for p in written.glob("*.png"))
        assert (names[0], names[-1], len(names)) == ("000000.png", "000065.png", 66)
        with Pillow.open(written / names[65]) as picture:
            assert "synthetic" in picture.info["Comment"]  # type: ignore[operator]
            assert np.array_equal(np.asarray(picture), straight.generate(66)[65, :, :, 0])
    elif form == "grid":
        with Pillow.open(tmp_path / "out" / "grid.png") as picture:
            assert "synthetic" in picture.info["Comment"]  # type: ignore[operator]
        assert write_samples(Sampler(straight), 4, 0, tmp_path / "some" / "four.png", form).is_file()
    else:
        assert "synthetic" in (tmp_path / "out" / "PROVENANCE.json").read_text()


def test_the_same_command_on_a_finished_run_does_nothing(straight: Any) -> None:
    before = {p: p.stat().st_mtime_ns for p in straight.path.rglob("*.safetensors")}
    cards = straight.score_cards
    again = api.train(tiny(), out=straight.path, quiet=True)
    assert again.score_cards == cards
    assert before == {p: p.stat().st_mtime_ns for p in straight.path.rglob("*.safetensors")}


def test_interrupted_and_continued_equals_straight(straight: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle: everything is saved, and the same command goes on to the same numbers, cards and pictures."""
    real = Loop.train_step

    def interrupting(self: Loop, *arguments: Any) -> None:
        real(self, *arguments)
        if self.state.clock.step == 5 and self.recipe.train.samples == 160:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Loop, "train_step", interrupting)
    with pytest.raises(KeyboardInterrupt, match=r"stopped at 96 samples.*ganvas train --resume"):
        api.train(tiny(), out=tmp_path / "run", quiet=True)
    monkeypatch.setattr(Loop, "train_step", real)
    run = api.train(tiny(), out=tmp_path / "run", quiet=True)
    assert equal(final_tensors(run), final_tensors(straight))
    assert run.score_cards == straight.score_cards
    assert sorted(p.name for p in (run.path / "samples").iterdir()) == sorted(
        p.name for p in (straight.path / "samples").iterdir()
    )
    assert (run.path / "samples" / "000000160.png").read_bytes() == (straight.path / "samples" / "000000160.png").read_bytes()


def test_a_grown_budget_goes_on(tmp_path: Path) -> None:
    run = api.train(tiny(samples=64), out=tmp_path / "run", quiet=True)
    grown = api.resume(run.path, samples=128, quiet=True)
    assert grown.find_checkpoint("last").name == "000000128"
    assert [card["kind"] for card in grown.score_cards].count("final") <= 2
    with pytest.raises(GanvasError, match="which can only grow"):
        api.resume(run.path, samples=64, quiet=True)


def test_a_different_command_is_refused_with_the_difference(straight: Any) -> None:
    other = replace(tiny(), optim=tiny().optim | {"G": replace(tiny().optim["G"], lr=3e-3)})
    with pytest.raises(GanvasError, match=r"optim\.G\.lr: 0\.002 -> 0\.003.*--out"):
        api.train(other, out=straight.path, quiet=True)
    with pytest.raises(GanvasError, match="seed: 0 -> 1"):
        api.train(tiny(), out=straight.path, seed=1, quiet=True)


def test_minutes_that_are_left_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trial that found the machine at something else is not the last word: the budget grows, and says so."""
    real, planned = Planner.measure_speed, list[float]()

    def measure_a_sixth(*args: Any, **more: Any) -> Trial:
        planned.append(real(*args, **more).samples_per_second / 6)
        return Trial(samples_per_second=planned[-1])

    monkeypatch.setattr(Planner, "measure_speed", measure_a_sixth)
    run = api.train(tiny(samples=None, minutes=0.05), out=tmp_path / "run")
    assert "there is time for" in capsys.readouterr().err
    settled = run.recipe.train.samples or 0
    assert settled > planned[-1] * 3 * 0.97
    assert run.checkpoints[-1].name == f"{settled:09d}"
    assert next(card["samples"] for card in run.score_cards if card["kind"] == "final") == settled
    assert api.train(tiny(samples=None, minutes=0.05), out=tmp_path / "run", quiet=True).recipe.train.samples == settled


def test_minutes_become_images_and_are_exact_from_then_on(tmp_path: Path) -> None:
    run = api.train(tiny(samples=None, minutes=0.02), out=tmp_path / "run", quiet=True)
    settled = run.recipe.train
    assert settled.samples is not None
    assert settled.samples % 16 == 0
    assert settled.snapshots is not None
    again = api.train(tiny(samples=None, minutes=0.02), out=tmp_path / "run", quiet=True)
    assert again.recipe.train == settled


def test_time_that_runs_out_stops_with_a_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # a machine that was quicker when it was measured
    monkeypatch.setattr(Planner, "measure_speed", lambda *_: Trial(samples_per_second=1e6))
    run = api.train(tiny(samples=None, minutes=0.02), out=tmp_path / "run")
    assert "time is up" in capsys.readouterr().err
    assert run.score_cards[-1]["kind"] == "final"


def test_training_that_diverges_ends_with_a_diagnosis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three times with half the learning rate; then the end, and no checkpoint of it."""
    recipe = tiny(samples=1600)
    wild = replace(recipe, optim={name: replace(optim, lr=9.9, eps=1e-30) for name, optim in recipe.optim.items()})
    nan = replace(wild, method=replace(recipe.method, penalties=(replace(recipe.method.penalties[0], gamma=1e38),)))
    with pytest.raises(GanvasError, match=r"training diverged: .*halved 3 times.*--optim.D.lr"):
        api.train(nan, out=tmp_path / "run")
    said = capsys.readouterr().err
    assert [f"with {scale} times the learning rates" in said for scale in (0.5, 0.25, 0.125, 0.0625)] == [True] * 3 + [False]
    for folder in runs.RunFolder(tmp_path / "run").checkpoints:
        assert all(t.isfinite().all() for t in load_file(folder / "nets.safetensors").values())


def test_other_labels_are_refused_on_resuming(tmp_path: Path) -> None:
    """Networks have learned what each class means: a folder renamed would shift them without a word."""
    for name in ("boot", "coat"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(20):
            Pillow.fromarray(np.full((8, 8), i * 10, np.uint8)).save(tmp_path / "data" / name / f"{i}.png")
    recipe = replace(tiny(samples=32), data=Files(path=str(tmp_path / "data")))
    judge = Judge(extractor=FashionClassifier(), metrics=(Frechet(),))
    recipe = replace(recipe, evaluation=replace(recipe.evaluation, judges=(judge,), samples=10))
    run = api.train(recipe, out=tmp_path / "run", quiet=True)
    assert run.recipe.nets.labels  # type: ignore[attr-defined]
    assert run.generate(3).shape == (3, 8, 8, 1)
    (tmp_path / "data" / "coat").rename(tmp_path / "data" / "apron")
    with pytest.raises(GanvasError, match=r"label 2 classes: boot, coat, but data/.* now has 2 classes: apron, boot:"):
        api.resume(run.path, samples=64, quiet=True)


def test_one_bad_step_goes_back_and_on_with_half_the_learning_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, poisoned = Loop.train_step, list[int]()

    def poison(self: Loop, *arguments: Any) -> None:
        real(self, *arguments)
        if self.state.clock.samples == 96 and self.recipe.train.samples == 160 and not poisoned:
            poisoned.append(1)
            next(self.state.nets["D"].parameters()).data.fill_(float("nan"))

    monkeypatch.setattr(Loop, "train_step", poison)
    run = api.train(tiny(), out=tmp_path / "run")
    said = capsys.readouterr().err
    assert "no longer finite: back to checkpoint 0000000" in said
    assert run.recipe.train.lr_scale == 0.5
    assert run.requested.train.lr_scale == 1.0
    lines = run.read_lines("log.jsonl")
    assert lines[-1]["samples"] == 160
    assert lines[-1]["lr"]["G"] == run.recipe.optim["G"].at(Clock(10, 160, 160))["lr"] / 2
    assert [line["samples"] for line in lines] == sorted({line["samples"] for line in lines})
    assert all(t.isfinite().all() for t in final_tensors(run).values())


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = api.train(tiny(samples=64), out=tmp_path / "run", quiet=True)
    before = final_tensors(run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganvas.runs.checkpoint._write_tensors", full)
    with pytest.raises(GanvasError, match="no space left on device"):
        api.resume(run.path, samples=128, quiet=True)
    monkeypatch.undo()
    assert equal(final_tensors(runs.RunFolder(run.path)), before)


def test_two_trainings_on_one_folder(tmp_path: Path) -> None:
    with runs.lock_run(tmp_path / "run"), pytest.raises(GanvasError, match="another ganvas is training"):
        api.train(tiny(), out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()  # nothing was left behind


def test_old_checkpoints_are_pruned(tmp_path: Path) -> None:
    run = api.train(tiny(samples=320, snapshots=10), out=tmp_path / "run", quiet=True)
    kept = {p.name for p in run.checkpoints}
    assert len(kept) <= 3
    assert {run.find_checkpoint("last").name, run.find_checkpoint("best").name} <= kept


def test_points_are_no_pictures(tmp_path: Path) -> None:
    run = api.train(tiny("ring"), out=tmp_path / "run", quiet=True)
    assert run.generate(7).shape == (7, 2)
    written = write_samples(Sampler(run), 7, 0, tmp_path / "out", "files")
    assert (written / "samples.csv").exists()


KILLED = """
import sys
sys.path[:0] = {tests!r}
from test_session import tiny
from ganvas import api
from ganvas.training import monitor
monitor.CHECKPOINT_SECONDS = 0.05
api.train(tiny({name!r}, samples=3200, ema_kimg=0.1), out={out!r}, quiet=True)
"""


@pytest.mark.parametrize("name", ["auto", "dcgan", "ring"])
def test_killed_at_a_random_moment_and_continued_equals_straight(
    name: str, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    """SIGKILL, which no program can answer; then the same command in the same folder."""
    environment = child_environment | {"GANVAS_CACHE": str(tmp_path / "cache")}

    def start(out: Path) -> subprocess.Popen[bytes]:
        tests = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
        code = KILLED.format(tests=tests, name=name, out=str(out))
        return subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)

    process = start(tmp_path / "killed")
    wait_for(lambda: any((tmp_path / "killed" / "checkpoints").glob("0*")), process)
    time.sleep(random.uniform(0, 1.0))
    process.kill()
    process.communicate()
    for out in ("killed", "straight"):
        process = start(tmp_path / out)
        assert process.wait(120) == 0, process.communicate()[1].decode()
        process.communicate()
    a, b = (final_tensors(runs.RunFolder(tmp_path / out)) for out in ("killed", "straight"))
    assert equal(a, b)


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if ready():
            return
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.05)
    raise AssertionError("nothing happened for a minute")


def test_a_metric_that_cannot_be_had_is_refused_before_training(tmp_path: Path) -> None:
    recipe = tiny()
    judge = Judge(extractor=FashionClassifier(), metrics=(*DISTANCES[:3], DensityCoverage(k=0)))  # k too large fits itself
    with pytest.raises(GanvasError, match="k = 0 must lie in"):
        api.train(replace(recipe, evaluation=replace(recipe.evaluation, judges=(judge,))), out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_time_that_ran_out_leaves_a_finished_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Planner, "measure_speed", lambda *_: Trial(samples_per_second=1e6))
    run = api.train(tiny(samples=None, minutes=0.02), out=tmp_path / "run", quiet=True)
    assert run.recipe.train.samples == int(run.find_checkpoint("last").name)
    cards = run.score_cards
    assert api.train(tiny(samples=None, minutes=0.02), out=tmp_path / "run", quiet=True).score_cards == cards
    more = api.resume(run.path, minutes=0.04, quiet=True)
    assert int(more.find_checkpoint("last").name) > run.recipe.train.samples


def test_a_kill_between_checkpoint_and_link_is_mended(tmp_path: Path) -> None:
    """The best checkpoint by its card is the best by its link again, and `last` needs no link at all."""
    run = api.train(tiny(samples=64), out=tmp_path / "run", quiet=True)
    best = run.find_checkpoint("best").name
    (run.path / "checkpoints" / "best").unlink()
    (run.path / "checkpoints" / "last").unlink()
    assert run.find_checkpoint("last").name == "000000064"
    again = api.resume(run.path, samples=80, quiet=True)
    cards = [card for card in again.score_cards if card["kind"] == "snapshot"]
    winner = min(cards, key=lambda card: (card["scores"]["frechet"], -card["samples"]))["checkpoint"]
    assert again.find_checkpoint("best").name == winner
    assert best in {card["checkpoint"] for card in cards}


def test_a_zip_of_points_holds_them_all(tmp_path: Path) -> None:
    run = api.train(tiny("ring"), out=tmp_path / "run", quiet=True)
    written = write_samples(Sampler(run), 150, 0, tmp_path / "out", "zip")
    with zipfile.ZipFile(written) as archive:
        rows = archive.read("samples.csv").decode().splitlines()
    assert len(rows) == 151
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["PROVENANCE.json", "samples.zip"]


def test_settings_that_are_two_budgets_are_refused() -> None:
    with pytest.raises(GanvasError, match=r"the budget is samples or minutes, got both \(5000 and "):
        replace(recipes.find_recipe("auto").train, samples=5000)
