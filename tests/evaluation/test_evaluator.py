"""Score cards: what is compared with what, and that the words on the card are true."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from ganvas import recipes
from ganvas.commands.parsing import name_typed_flags
from ganvas.configuration import config
from ganvas.core import Extractor, Features, Metric, RealFeatures
from ganvas.data import EncodedDataset, Files, prepare_dataset
from ganvas.errors import GanvasError
from ganvas.evaluation import evaluator
from ganvas.evaluation.evaluator import Evaluator
from ganvas.evaluation.features import take_first
from ganvas.evaluation.score_card import format_card
from ganvas.extractors import FashionClassifier, Inception, Pixels
from ganvas.metrics import KID, DensityCoverage, Frechet, InceptionScore, PrecisionRecall
from ganvas.recipe import Evaluation, Judge
from ganvas.report.evaluate import evaluate
from ganvas.runs.folder import RunFolder
from ganvas.runs.state import build_state
from small_recipes import both, codec_for, small

DATA = Path(__file__).parents[1] / "data" / "fashion_test_200.npz"
METRICS = (Frechet(), DensityCoverage(k=3))
EVALUATION = Evaluation(judges=(Judge(extractor=Pixels(), metrics=METRICS),), samples=80, snapshot_samples=20)


def judged(*metrics: Metric, extractor: Extractor | None = None) -> Evaluation:
    return replace(EVALUATION, judges=(Judge(extractor=extractor or Pixels(), metrics=metrics or METRICS),))


@config
class Demanding:
    """A metric that takes no fewer samples than `least`."""

    least: int
    against: Literal["train"] = "train"
    samples: int | None = None

    @property
    def lower_is_better(self) -> dict[str, bool]:
        return {"demanding": True}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        if len(fake.features) < self.least:
            raise GanvasError(f"needs {self.least} samples")
        return {"demanding": 0.0}


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
    judge = Evaluator(judged(Frechet(), Demanding(least=31)), data, None, None)
    assert judge.check_floors() == []  # 10 samples are not enough for it, but 80 are
    assert {n for _, n in judge.scorers[0].floor_cache} == {10, 80}
    with pytest.raises(GanvasError, match="81 samples"):
        Evaluator(judged(Frechet(), Demanding(least=81)), data, None, None).check_floors()
    judge = Evaluator(judged(Frechet(), DensityCoverage(k=80)), data, None, None)
    assert judge.check_floors() == ["density, coverage: 80 samples are few, so k is 79 in place of 80"]
    assert {n for _, n in judge.scorers[0].floor_cache} == {10}  # it fits itself to a few


def test_snapshots_take_the_first_metric_alone(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    card = Evaluator(EVALUATION, data, None, None).score_snapshot(recipe.method, state.select_sampling_networks())
    assert list(card["scores"]) == ["frechet"]
    assert card["protocol"]["samples"] == 20


def test_features_of_real_samples_are_computed_once(parts: tuple, tmp_path: Path) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    Counting.calls = 0
    first = Evaluator(judged(extractor=Counting()), data, None, tmp_path).real_features
    calls = Counting.calls
    second = Evaluator(judged(extractor=Counting()), data, None, tmp_path).real_features
    assert calls == Counting.calls == 2
    assert np.array_equal(first.reference.features, second.reference.features)


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
    assert lower.best_by == ("frechet", True)
    assert lower.is_better(1.0, None)
    assert lower.is_better(1.0, 2.0)
    assert not lower.is_better(2.0, 1.0)
    higher = Evaluator(judged(DensityCoverage(k=3)), data, None, None)
    assert higher.best_by == ("density", False)
    assert higher.is_better(2.0, 1.0)


def test_fid_is_said_of_inception_alone(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    card = Evaluator(EVALUATION, data, None, None).score_final(recipe.method, state.select_sampling_networks())
    assert "frechet " in format_card(card)
    fid = format_card(card | {"protocol": card["protocol"] | {"extractor": Inception().name}})
    assert "FID " in fid
    assert "frechet" not in fid


# ---------------------------------------------------------------- few samples


FEW_METRICS = (Frechet(), KID(), PrecisionRecall(), DensityCoverage(), InceptionScore())
FEW = Evaluation(judges=(Judge(extractor=FashionClassifier(), metrics=FEW_METRICS),))


def few(data: EncodedDataset, n: int) -> EncodedDataset:
    return replace(data, columns={name: column[:n] for name, column in data.columns.items()})


@pytest.mark.parametrize(
    ("n", "cautions"),
    [
        (4, ["kid_std: each subset holds all 2 samples, so there is no spread",
             "precision, recall: 2 samples are few, so k is 1 in place of 3",
             "density, coverage: 2 samples are few, so k is 1 in place of 5",
             "inception_score, inception_score_std: 2 samples are few, so splits is 1 in place of 10",
             "inception_score: a split has 2 samples, fewer than the 10 classes: the score is 2 at most"]),
        (8, ["kid_std: each subset holds all 4 samples, so there is no spread",
             "density, coverage: 4 samples are few, so k is 3 in place of 5",
             "inception_score, inception_score_std: 4 samples are few, so splits is 2 in place of 10",
             "inception_score: a split has 2 samples, fewer than the 10 classes: the score is 2 at most"]),
        (11, ["density, coverage: 5 samples are few, so k is 4 in place of 5",
              "inception_score, inception_score_std: 5 samples are few, so splits is 2 in place of 10",
              "inception_score: a split has 2 samples, fewer than the 10 classes: the score is 3 at most"]),
        (200, ["kid_std: each subset holds all 100 samples, so there is no spread"]),
    ],
)  # fmt: skip
def test_few_samples_are_scored_as_they_allow_and_that_is_said(parts: tuple, n: int, cautions: list[str]) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    judge = Evaluator(FEW, few(data, n), None, None)
    assert judge.check_floors() == [c for c in cautions if "are few" in c]
    card = judge.score_final(recipe.method, state.select_sampling_networks())
    assert set(card["scores"]) == {name for metric in FEW_METRICS for name in metric.lower_is_better}
    assert np.isfinite(list(card["scores"].values())).all()
    assert card.get("cautions", []) == cautions
    assert [line for line in format_card(card).splitlines() if "note:" in line] == [f"  note: {c}" for c in cautions]


def test_a_reference_of_few_samples_limits_as_well(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    judge = Evaluator(FEW, few(data, 3), data, None)
    assert judge.check_floors()[0] == "precision, recall: 3 samples are few, so k is 2 in place of 3"


def test_copies_among_the_real_samples_are_on_the_card(parts: tuple) -> None:  # type: ignore[type-arg]
    recipe, _, data, state = parts
    columns = {name: column[:10].repeat_interleave(60, 0) for name, column in data.columns.items()}
    copied = replace(data, columns=columns)
    card = Evaluator(EVALUATION, copied, None, None).score_final(recipe.method, state.select_sampling_networks())
    assert card["floor"]["coverage"] < 0.5  # of real samples against real ones
    (caution,) = card["cautions"]
    assert "real samples have 3 or more copies, and nothing counts as near them" in caution
    assert f"note: {caution}" in format_card(card)


def test_too_few_for_any_score_is_said_plainly(parts: tuple) -> None:  # type: ignore[type-arg]
    _, _, data, _ = parts
    with pytest.raises(GanvasError, match="3 samples are too few, for half of them are put aside to score against: add more"):
        Evaluator(FEW, few(data, 3), None, None)
    with pytest.raises(GanvasError, match="1 sample to score against is too few: give at least 2"):
        Evaluator(FEW, data, few(data, 1), None)


def test_the_number_of_samples_is_refused_in_the_words_of_the_command() -> None:
    for n in (1, 0, -3, 10_000_001):
        with (
            pytest.raises(GanvasError, match=rf"^--n: n must be from 2 to 10,000,000, got {n}$"),
            name_typed_flags(["--n", str(n)]),
        ):
            evaluate(RunFolder.__new__(RunFolder), n=n)
        with (
            pytest.raises(GanvasError, match=rf"^--evaluation.snapshot-samples: snapshot_samples must be .* got {n}$"),
            name_typed_flags(["--evaluation.snapshot-samples", str(n)]),
        ):
            replace(EVALUATION, snapshot_samples=n)
