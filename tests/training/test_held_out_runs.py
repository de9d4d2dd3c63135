"""Runs whose training sees 95% of the samples, and older runs, whose training sees all of them."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganvas import api, recipes
from ganvas.core import Features
from ganvas.data import Files, HeldOut
from ganvas.data.dataset import open_data
from ganvas.errors import GanvasError
from ganvas.evaluation.evaluator import Evaluator, build_run_evaluator
from ganvas.evaluation.score_card import format_card
from ganvas.extractors import FashionClassifier
from ganvas.metrics import Copying, Frechet
from ganvas.recipe import Judge, Recipe
from ganvas.runs.folder import RunFolder
from ganvas.training.loop import Loop
from ganvas.training.transfer import start_recipe_from_run
from small_recipes import small

CLOTHES = Path(__file__).parents[1] / "data" / "fashion_test_200.npz"
EXTRACTOR = "pixels"
USUAL = HeldOut()


def tiny(data: Path, held_out: HeldOut = USUAL, **train: Any) -> Recipe:
    recipe = small(recipes.find_recipe("auto"), **{"samples": 64, "batch": 16, "snapshots": 1} | train)
    judges = (Judge(extractor=FashionClassifier(), metrics=(Frechet(), Copying())),)
    evaluation = replace(recipe.evaluation, judges=judges, samples=60, snapshot_samples=20)
    return replace(recipe, data=Files(path=str(data)), evaluation=evaluation, held_out=held_out)


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(run.find_checkpoint("last") / "nets.safetensors")


def are_equal(a: RunFolder, b: RunFolder) -> bool:
    return all(torch.equal(value, weights(b)[name]) for name, value in weights(a).items())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clothes.npz and two runs on it: `run` holds 50 of 200 out, `old` none, as runs did before."""
    folder = tmp_path_factory.mktemp("held_out")
    shutil.copy(CLOTHES, folder / "clothes.npz")
    api.train(tiny(folder / "clothes.npz", HeldOut(share=0.25)), out=folder / "run", quiet=True)
    api.train(tiny(folder / "clothes.npz", HeldOut(share=0.0)), out=folder / "old", quiet=True)
    make_old(folder / "old")
    return folder


def make_old(path: Path) -> None:
    """Take the settings out of recipe.json, as if a ganvas without them had written the run."""
    meta = json.loads((path / "recipe.json").read_text())
    del meta["data"]["held_out"]
    for recipe in (meta["recipe"], meta["asked"]):
        del recipe["held_out"]
        (judge,) = recipe["evaluation"].pop("judges")
        recipe["evaluation"] |= {"extractor": judge["extractor"], "metrics": judge["metrics"]}
    (path / "recipe.json").write_text(json.dumps(meta | {"format": 5}))


def test_the_card_and_recipe_say_what_was_held_out(place: Path) -> None:
    run = RunFolder(place / "run")
    assert run.recipe.held_out == HeldOut(share=0.25)
    assert (run.meta["data"]["count"], run.meta["data"]["held_out"]) == (200, 50)
    card = run.score_cards[-1]
    assert card["protocol"]["unseen"] == "50 samples"
    assert card["protocol"]["reference"] == "75 training samples"
    assert card["protocol"]["held_out"] == "75 other training samples"
    assert "training never saw 50 samples" in format_card(card)
    assert {"copying", "copying_std"} <= card["scores"].keys() == card["floor"].keys()
    assert abs(card["floor"]["copying"] - 0.5) < 3 * card["floor"]["copying_std"]
    assert "training never saw" in (run.path / "report.html").read_text()


def test_a_line_says_so_before_the_first_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    api.train(tiny(CLOTHES), out=tmp_path / "run")
    said = capsys.readouterr().err
    assert "10 of 200 pictures are held out of training, so that copying can be seen" in said
    assert "200 pictures of" in said
    assert "copying" not in RunFolder(tmp_path / "run").score_cards[-1]["scores"]  # ten unseen ones are too few


def test_training_never_sees_them(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a run, not in a resumed one, and not in one whose files have a new date."""
    judge = build_run_evaluator(RunFolder(place / "run"), EXTRACTOR)
    _, held_out = load_parts(RunFolder(place / "run").recipe, RunFolder(place / "run"))
    seen = set[bytes]()
    real = Loop.train_step

    def watching(self: Loop, *arguments: Any) -> None:
        seen.update(row.numpy().tobytes() for row in self.data.columns["x"])
        real(self, *arguments)

    shutil.copytree(place / "run", tmp_path / "run", symlinks=True)
    os.utime(place / "clothes.npz")  # another fingerprint
    monkeypatch.setattr(Loop, "train_step", watching)
    longer = api.resume(tmp_path / "run", samples=128, quiet=True)
    assert len(seen) == 150
    again = build_run_evaluator(longer, EXTRACTOR)
    assert np.array_equal(judge.training_features, again.training_features)
    unseen = {row.numpy().tobytes() for row in held_out.columns["x"]}
    assert len(unseen) == 50
    assert not seen & unseen


def test_a_resumed_run_equals_an_uninterrupted_one(place: Path, tmp_path: Path) -> None:
    recipe = tiny(place / "clothes.npz", HeldOut(share=0.25), snapshots=2)
    straight = api.train(recipe, out=tmp_path / "straight", quiet=True)
    shutil.copytree(tmp_path / "straight", tmp_path / "cut", symlinks=True)
    first, last = (folder.name for folder in straight.checkpoints)
    shutil.rmtree(tmp_path / "cut" / "checkpoints" / last)
    for link in ("best", "last"):
        (tmp_path / "cut" / "checkpoints" / link).unlink()
        (tmp_path / "cut" / "checkpoints" / link).symlink_to(first)
    resumed = api.resume(tmp_path / "cut", quiet=True)
    assert are_equal(straight, resumed)
    assert straight.score_cards[-1] == resumed.score_cards[-1]


def test_an_old_run_goes_on_as_it_was(place: Path, tmp_path: Path) -> None:
    old = RunFolder(place / "old")
    assert old.recipe.held_out == old.requested.held_out == HeldOut(share=0.0)
    card = api.evaluate(old)
    assert card["scores"] == old.score_cards[0]["scores"] or card["scores"] == old.score_cards[-1]["scores"]
    assert card["protocol"]["reference"] == "100 training samples"
    assert "unseen" not in card["protocol"]
    shutil.copytree(place / "old", tmp_path / "resumed", symlinks=True)
    shutil.copytree(place / "old", tmp_path / "same_command", symlinks=True)
    longer = api.train(tiny(place / "clothes.npz", HeldOut(share=0.0), samples=128), out=tmp_path / "longer", quiet=True)
    resumed = api.resume(tmp_path / "resumed", samples=128, quiet=True)
    assert are_equal(longer, resumed)
    assert api.train(tiny(place / "clothes.npz"), out=tmp_path / "same_command", quiet=True).recipe.held_out.share == 0
    with pytest.raises(GanvasError, match=r"held_out\.share: 0\.0 -> 0\.1"):
        api.train(tiny(place / "clothes.npz", HeldOut(share=0.1)), out=tmp_path / "same_command", quiet=True)


def test_a_run_that_starts_from_an_old_one_holds_samples_out(place: Path) -> None:
    assert start_recipe_from_run(RunFolder(place / "old")).held_out == HeldOut()


def test_other_data_is_not_split(place: Path, tmp_path: Path) -> None:
    shutil.copy(CLOTHES, tmp_path / "other.npz")
    card = api.evaluate(RunFolder(place / "run"), data=tmp_path / "other.npz")
    assert card["protocol"]["reference"] == "100 training samples"
    assert "copying" not in card["scores"]


def test_many_held_out_samples_are_scored_against(place: Path) -> None:
    """As many as half of the training samples: then no training samples are put aside."""
    recipe = tiny(place / "clothes.npz", HeldOut(share=0.4))
    run = RunFolder(place / "run")
    data, held_out = load_parts(recipe, run)
    judge = Evaluator(recipe.evaluation, data, held_out, None)
    assert judge.data_metadata["reference"] == "120 training samples"
    assert judge.data_metadata["held_out"] == "80 samples that training never saw"
    reals = judge.real_features
    assert reals.unseen is reals.held_out
    assert len(judge.training_features) == 120


def load_parts(recipe: Recipe, run: RunFolder) -> tuple[Any, Any]:
    _, data, held_out = open_data(recipe.data, recipe.medium, run.read_codec(), held_out=recipe.held_out)
    return data, held_out


def test_a_copier_is_told_on_the_card(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that returns training samples, in the place of the run's own."""
    run = RunFolder(place / "run")
    judge = build_run_evaluator(run, EXTRACTOR)
    copies = judge.training_features[np.random.default_rng(0).integers(150, size=60)]
    fake = judge.real_features.reference._replace(features=copies, conditions={})

    def extract(*_: object) -> list[Features]:
        return [fake]

    monkeypatch.setattr(Evaluator, "extract", extract)
    card = judge.score_final(run.recipe.method, nn.ModuleDict())
    assert card["scores"]["copying"] == 1.0
    (finding,) = [line for line in card["remarks"] if line.startswith("copying")]
    assert "the generator copies" in finding
    assert finding in format_card(card)
