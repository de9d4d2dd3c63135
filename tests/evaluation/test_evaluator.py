"""Score cards: what is compared with what, and that the words on the card are true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas import recipes
from ganvas.config import config
from ganvas.core import Scored
from ganvas.data import Files, prepare
from ganvas.evaluation.evaluator import Judge
from ganvas.evaluation.score_card import table
from ganvas.extractors import Inception, Pixels
from ganvas.metrics import DensityCoverage, Frechet
from ganvas.recipe import Evaluation
from ganvas.runs.state import start
from small_recipes import codec_for, small

DATA = Path(__file__).parents[1] / "data" / "fashion_test_200.npz"
EVALUATION = Evaluation(extractor=Pixels(), metrics=(Frechet(), DensityCoverage(k=3)), samples=80, snapshot_samples=20)


@pytest.fixture(scope="module")
def parts() -> tuple:  # type: ignore[type-arg]
    recipe = replace(small(recipes.find("auto")), data=Files(path=str(DATA)))
    codec = codec_for(recipe)
    data = prepare(recipe.data.items(()), codec, None)
    return recipe, codec, data, start(recipe, data.spec, 0, torch.device("cpu"))


def test_training_samples_put_aside_are_not_in_the_reference(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    judge = Judge(EVALUATION, data, None, None)
    assert len(judge.reals.held.features) == 80
    assert len(judge.reals.reference.features) == 120
    both = {row.tobytes() for row in judge.reals.held.features} & {row.tobytes() for row in judge.reals.reference.features}
    assert not both
    assert (judge.words["reference"], judge.words["held_out"]) == ("120 training samples", "80 other training samples")


def test_a_test_split_is_used_where_there_is_one(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    judge = Judge(EVALUATION, data, data, None)
    assert len(judge.reals.reference.features) == 200
    assert (judge.words["reference"], judge.words["held_out"]) == ("200 training samples", "80 test samples")


def test_card_and_floor(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    judge = Judge(EVALUATION, data, None, None)
    card = judge.final(recipe.method, state.sampled())
    assert set(card["scores"]) == set(card["floor"]) == set(card["lower_is_better"]) == {"frechet", "density", "coverage"}
    assert card["floor"]["frechet"] == pytest.approx(Frechet()(judge.reals.reference, judge.reals.held)["frechet"])
    assert card["floor"]["coverage"] > 0.5 > card["scores"]["coverage"]  # untrained networks against clothes
    assert card["protocol"] == {
        "extractor": "pixels", "samples": 80, "reference": "120 training samples", "held_out": "80 other training samples",
        "resize": "lanczos", "seed": 0, "data": data.title, "fingerprint": data.fingerprint,
    }  # fmt: skip
    assert "80 samples, seed 0, features pixels" in table(card)
    assert judge.final(recipe.method, state.sampled()) == card  # scoring draws nothing of its own


def test_snapshots_take_the_first_metric_alone(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    card = Judge(EVALUATION, data, None, None).snapshot(recipe.method, state.sampled())
    assert list(card["scores"]) == ["frechet"]
    assert card["protocol"]["samples"] == 20


def test_features_of_real_samples_are_computed_once(parts: tuple, tmp_path: Path) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    Counting.calls = 0
    evaluation = replace(EVALUATION, extractor=Counting())
    first = Judge(evaluation, data, None, tmp_path)
    calls = Counting.calls
    second = Judge(evaluation, data, None, tmp_path)
    assert calls == Counting.calls == 2
    assert np.array_equal(first.reals.reference.features, second.reals.reference.features)


@config
class Counting:
    @property
    def name(self) -> str:
        return "counting"

    def __call__(self, stored: torch.Tensor) -> Scored:
        Counting.calls += 1  # type: ignore[attr-defined]
        return Pixels()(stored)


def test_which_way_is_better(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    lower = Judge(EVALUATION, data, None, None)
    assert lower.first == "frechet"
    assert lower.better(1.0, None)
    assert lower.better(1.0, 2.0)
    assert not lower.better(2.0, 1.0)
    higher = Judge(replace(EVALUATION, metrics=(DensityCoverage(k=3),)), data, None, None)
    assert higher.first == "density"
    assert higher.better(2.0, 1.0)


def test_fid_is_said_of_inception_alone(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    card = Judge(EVALUATION, data, None, None).final(recipe.method, state.sampled())
    assert "frechet " in table(card)
    fid = table(card | {"protocol": card["protocol"] | {"extractor": Inception().name}})
    assert "FID " in fid
    assert "frechet" not in fid
