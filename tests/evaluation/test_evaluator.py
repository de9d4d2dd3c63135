"""Score cards: what is compared with what, and that the words on the card are true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas import recipes
from ganvas.configuration import config
from ganvas.core import Features
from ganvas.data import Files, prepare_dataset
from ganvas.errors import GanvasError
from ganvas.evaluation import evaluator
from ganvas.evaluation.evaluator import Evaluator, take_first
from ganvas.evaluation.score_card import format_card
from ganvas.extractors import Inception, Pixels
from ganvas.metrics import DensityCoverage, Frechet
from ganvas.recipe import Evaluation
from ganvas.runs.state import build_state
from small_recipes import both, codec_for, small

DATA = Path(__file__).parents[1] / "data" / "fashion_test_200.npz"
EVALUATION = Evaluation(extractor=Pixels(), metrics=(Frechet(), DensityCoverage(k=3)), samples=80, snapshot_samples=20)


@pytest.fixture(scope="module")
def parts() -> tuple:  # type: ignore[type-arg]
    recipe = replace(small(recipes.find_recipe("auto")), data=Files(path=str(DATA)))
    codec = codec_for(recipe)
    data = prepare_dataset(recipe.data.items(()), codec, None)
    return recipe, codec, data, build_state(recipe, data.spec, 0, torch.device("cpu"))


def test_training_samples_put_aside_are_not_in_the_reference(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    judge = Evaluator(EVALUATION, data, None, None)
    assert len(judge.real_features.held_out.features) == 100  # half of 200, of however few samples the card is
    assert len(judge.real_features.reference.features) == 100
    both = {row.tobytes() for row in judge.real_features.held_out.features} & {
        row.tobytes() for row in judge.real_features.reference.features
    }
    assert not both
    assert (judge.data_metadata["reference"], judge.data_metadata["held_out"]) == (
        "100 training samples",
        "100 other training samples",
    )


def test_a_test_split_is_used_where_there_is_one(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    judge = Evaluator(EVALUATION, data, data, None)
    assert len(judge.real_features.reference.features) == 200
    assert (judge.data_metadata["reference"], judge.data_metadata["held_out"]) == ("200 training samples", "200 test samples")


def test_card_and_floor(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    judge = Evaluator(EVALUATION, data, None, None)
    card = judge.score_final(recipe.method, state.select_sampling_networks())
    assert set(card["scores"]) == set(card["floor"]) == set(card["lower_is_better"]) == {"frechet", "density", "coverage"}
    assert card["floor"]["frechet"] == pytest.approx(
        Frechet()(both(judge.real_features.reference), take_first(judge.real_features.held_out, 80))["frechet"]
    )
    assert card["floor"]["coverage"] > 0.5 > card["scores"]["coverage"]  # untrained networks against clothes
    assert card["protocol"] == {
        "extractor": "pixels", "samples": 80, "reference": "100 training samples", "held_out": "100 other training samples",
        "resize": "lanczos", "seed": 0, "data": data.title, "fingerprint": data.fingerprint,
    }  # fmt: skip
    assert "80 samples, seed 0, features pixels" in format_card(card)
    assert judge.score_final(recipe.method, state.select_sampling_networks()) == card  # scoring draws nothing of its own


def test_a_card_of_fewer_samples_compares_with_the_same_reals(parts: tuple) -> None:  # type: ignore[type-arg]
    """So that features of real samples are computed once for runs of every length."""
    _, _, data, _ = parts
    few, many = (Evaluator(replace(EVALUATION, samples=n), data, None, None) for n in (10, None))
    assert (few.sample_counts[1], many.sample_counts[1]) == (10, 100)
    for kind in ("reference", "held_out"):
        assert np.array_equal(getattr(few.real_features, kind).features, getattr(many.real_features, kind).features)


def test_a_metric_is_tried_on_a_few_samples_and_on_all_where_it_wants_more(
    parts: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    monkeypatch.setattr(evaluator, "CHECK_SAMPLES", 10)
    judge = Evaluator(replace(EVALUATION, metrics=(Frechet(), DensityCoverage(k=30))), data, None, None)
    judge.check_floors()  # 30th neighbours of 10 samples there are none, but of 80
    assert {n for _, n in judge.floor_cache} == {10, 80}
    with pytest.raises(GanvasError, match="k = 80"):
        Evaluator(replace(EVALUATION, metrics=(Frechet(), DensityCoverage(k=80))), data, None, None).check_floors()


def test_snapshots_take_the_first_metric_alone(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    card = Evaluator(EVALUATION, data, None, None).score_snapshot(recipe.method, state.select_sampling_networks())
    assert list(card["scores"]) == ["frechet"]
    assert card["protocol"]["samples"] == 20


def test_features_of_real_samples_are_computed_once(parts: tuple, tmp_path: Path) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    Counting.calls = 0
    evaluation = replace(EVALUATION, extractor=Counting())
    first = Evaluator(evaluation, data, None, tmp_path)
    calls = Counting.calls
    second = Evaluator(evaluation, data, None, tmp_path)
    assert calls == Counting.calls == 2
    assert np.array_equal(first.real_features.reference.features, second.real_features.reference.features)


@config
class Counting:
    word, media = "counting", ()

    @property
    def name(self) -> str:
        return "counting"

    def __call__(self, stored: torch.Tensor) -> Features:
        Counting.calls += 1  # type: ignore[attr-defined]
        return Pixels()(stored)


def test_which_way_is_better(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    lower = Evaluator(EVALUATION, data, None, None)
    assert lower.primary_score == "frechet"
    assert lower.is_better(1.0, None)
    assert lower.is_better(1.0, 2.0)
    assert not lower.is_better(2.0, 1.0)
    higher = Evaluator(replace(EVALUATION, metrics=(DensityCoverage(k=3),)), data, None, None)
    assert higher.primary_score == "density"
    assert higher.is_better(2.0, 1.0)


def test_fid_is_said_of_inception_alone(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    card = Evaluator(EVALUATION, data, None, None).score_final(recipe.method, state.select_sampling_networks())
    assert "frechet " in format_card(card)
    fid = format_card(card | {"protocol": card["protocol"] | {"extractor": Inception().name}})
    assert "FID " in fid
    assert "frechet" not in fid
