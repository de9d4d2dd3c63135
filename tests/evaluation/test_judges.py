"""Judges: which ones suit a data set, what each adds to a card, and when one flatters."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganvas import recipes
from ganvas.configuration import to_json
from ganvas.core import Nets
from ganvas.data import Files, HeldOut, prepare_dataset
from ganvas.errors import GanvasError
from ganvas.evaluation.evaluator import Evaluator
from ganvas.evaluation.judges import choose_judges, describe_choice, describe_flattery, fill_judges, judge_by_one
from ganvas.evaluation.score_card import format_card
from ganvas.extractors import Appearance, Coordinates, EfficientNetLite0, FashionClassifier, Pixels
from ganvas.media import ImageCodec, PointsCodec
from ganvas.metrics import AppearanceGap, Frechet
from ganvas.recipe import Evaluation, Judge
from ganvas.runs.folder import RunFolder, upgrade_settings
from ganvas.runs.state import build_state
from small_recipes import codec_for, small

DATA = Path(__file__).parents[1] / "data" / "fashion_test_200.npz"


def codec(size: int, channels: int) -> ImageCodec:
    return ImageCodec(size=size, channels=channels, framing="crop", background=255, flip=False)


@pytest.mark.parametrize(
    ("samples", "names"),
    [
        (codec(28, 1), ["efficientnet-lite0-64px-bilinear", "fashion-classifier-v1", "appearance-v1"]),
        (codec(32, 1), ["efficientnet-lite0-64px-bilinear", "fashion-classifier-v1", "appearance-v1"]),
        (codec(64, 1), ["efficientnet-lite0-64px-bilinear", "appearance-v1"]),
        (codec(32, 3), ["efficientnet-lite0-64px-bilinear", "appearance-v1"]),
        (codec(64, 4), ["efficientnet-lite0-64px-bilinear", "appearance-v1"]),
        (codec(128, 3), ["efficientnet-lite0-128px-bilinear", "appearance-v1"]),
        (PointsCodec(dim=2), ["coordinates"]),
    ],
)
def test_the_data_choose_the_judges(samples: Any, names: list[str]) -> None:
    judges = choose_judges(samples)
    assert [judge.extractor.name for judge in judges] == names
    assert judges[0].metrics[0] == Frechet()
    assert describe_choice(judges, samples).startswith(f"scored by {names[0]}" + (", beside " if len(names) > 1 else ":"))


def test_judges_that_a_recipe_names_stay() -> None:
    own = Evaluation(judges=(Judge(extractor=Pixels(), metrics=(Frechet(),)),))
    assert fill_judges(own, codec(32, 1)) == own
    assert len(fill_judges(Evaluation(samples=60), codec(32, 1)).judges) == 3


def test_judges_that_cannot_be_are_refused() -> None:
    with pytest.raises(GanvasError, match="metrics must be one or more"):
        Judge(extractor=Pixels(), metrics=())
    twice = (Judge(extractor=EfficientNetLite0(size=size), metrics=(Frechet(),)) for size in (64, 128))
    with pytest.raises(GanvasError, match="judges must be of different extractors, got efficientnet, efficientnet"):
        Evaluation(judges=tuple(twice))


def test_one_judge_of_choice() -> None:
    own = Evaluation(judges=(Judge(extractor=EfficientNetLite0(size=96), metrics=(Frechet(),)),))
    assert judge_by_one(own, "efficientnet", codec(32, 1)) == own  # the run's own, at its size
    assert judge_by_one(Evaluation(), "efficientnet", codec(128, 3)).judges[0].extractor == EfficientNetLite0(size=128)
    (appearance,) = judge_by_one(own, "appearance", codec(32, 1)).judges
    assert appearance == Judge(extractor=Appearance(), metrics=(AppearanceGap(),))
    (pixels,) = judge_by_one(own, Pixels(), codec(32, 1)).judges
    assert pixels == Judge(extractor=Pixels(), metrics=(Frechet(),))  # by the metrics of the first judge
    with pytest.raises(GanvasError, match="extractor must be one of appearance, "):
        judge_by_one(own, "eye", codec(32, 1))


# ---------------------------------------------------------------- on a card


@pytest.fixture(scope="module")
def parts() -> tuple[Any, Any, Any]:
    recipe = replace(small(recipes.find_recipe("auto")), data=Files(path=str(DATA)))
    data = prepare_dataset(recipe.data.items(()), codec_for(recipe), None)
    return recipe, data, build_state(recipe, data.spec, 0, torch.device("cpu"))


THREE = Evaluation(
    judges=(
        Judge(extractor=Pixels(), metrics=(Frechet(),)),
        Judge(extractor=FashionClassifier(), metrics=(Frechet(),)),
        Judge(extractor=Appearance(), metrics=(AppearanceGap(),)),
    ),
    samples=60,
    snapshot_samples=20,
)


def test_each_judge_adds_its_scores_and_the_first_alone_takes_snapshots(parts: tuple[Any, Any, Any]) -> None:
    recipe, data, state = parts
    nets = state.select_sampling_networks()
    judge = Evaluator(THREE, data, None, None)
    assert judge.best_by[0] == "frechet"
    assert list(judge.score_snapshot(recipe.method, nets)["scores"]) == ["frechet"]
    assert judge.scorers[1].held_out is None, "a snapshot computes no features of later judges"
    card = judge.score_final(recipe.method, nets)
    assert list(card["scores"])[:3] == ["frechet", "classifier/frechet", "appearance/gap"]
    assert card["scores"].keys() == card["floor"].keys() == card["lower_is_better"].keys()
    assert (card["protocol"]["extractor"], card["judges"]) == (
        "pixels",
        {"classifier": "fashion-classifier-v1", "appearance": "appearance-v1"},
    )
    for scorer, name in zip(judge.scorers, ("frechet", "classifier/frechet", "appearance/gap"), strict=True):
        alone = Evaluator(replace(THREE, judges=(scorer.judge,)), data, None, None).score_final(recipe.method, nets)
        assert alone["scores"][name.rpartition("/")[2]] == card["scores"][name]
        assert alone["floor"][name.rpartition("/")[2]] == card["floor"][name]
    assert card["floor"]["appearance/fine_detail"] == pytest.approx(1, abs=0.25)  # real against real
    (remark,) = card["remarks"]
    assert "the fine detail of real pictures: " in remark
    text = format_card(card)
    assert f"  {remark}" in text.splitlines()
    assert "  classifier: features fashion-classifier-v1" in text.splitlines()
    assert [line.split()[3:] for line in text.splitlines() if "/brightness " in line] == [["as", "real"]]


def test_other_judges_of_one_evaluator_keep_features(parts: tuple[Any, Any, Any]) -> None:
    _, data, _ = parts
    judge = Evaluator(THREE, data, None, None)
    first, reference = judge.scorers[0], judge.scorers[0].reference
    judge.use_evaluation(replace(THREE, judges=THREE.judges[:1], samples=80))
    assert judge.scorers == [first]
    assert judge.scorers[0].reference is reference
    assert judge.sample_counts == (20, 80)


def test_the_reference_is_limited_and_the_card_says_so(parts: tuple[Any, Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from ganvas.evaluation import reals

    _, data, _ = parts
    monkeypatch.setattr(reals, "MAX_REFERENCE_SAMPLES", 30)
    judge = Evaluator(THREE, data, data, None)
    assert judge.describe_protocol(60)["reference"] == "30 training samples"
    assert judge.training_features.shape[0] == len(judge.training_rows) == 30
    row = int(judge.training_rows[7])
    np.testing.assert_array_equal(Pixels()(data.columns["x"][row : row + 1]).features[0], judge.training_features[7])


# ---------------------------------------------------------------- a network that learns from its judge


class Looking(nn.Module):
    """A network that looks at pictures through a trained one, inside a wrapper or not."""

    def __init__(self, feature_network: str) -> None:
        super().__init__()
        self.feature_network = feature_network


def test_a_judge_flatters_networks_that_look_through_it() -> None:
    judges = choose_judges(codec(32, 1))
    plain: Nets = nn.ModuleDict({"G": nn.Linear(1, 1), "D": nn.Linear(1, 1)})
    assert describe_flattery(judges, plain) == []
    looking: Nets = nn.ModuleDict({"G": nn.Linear(1, 1), "D": nn.Sequential(nn.Sequential(Looking("efficientnet-lite0")))})
    assert describe_flattery(judges, looking) == [
        "efficientnet: D was trained with this network's features: its distances flatter; read classifier and appearance"
    ]
    assert describe_flattery(judges[:1], looking) == [
        "efficientnet: D was trained with this network's features: its distances flatter; score with another one, "
        "ganvas evaluate RUN --extractor NAME"
    ]
    other: Nets = nn.ModuleDict({"D": Looking("vgg16")})
    assert describe_flattery(judges, other) == []


def test_flattery_is_on_the_card(parts: tuple[Any, Any, Any]) -> None:
    recipe, data, state = parts
    nets = nn.ModuleDict({**state.select_sampling_networks()})
    nets["D"].add_module("eye", Looking("fashion-classifier"))
    try:
        card = Evaluator(THREE, data, None, None).score_final(recipe.method, nets)
    finally:
        del nets["D"].eye
    assert card["cautions"][0].startswith("classifier: D was trained with this network's features")
    assert card["cautions"][0].endswith("read pixels and appearance")


# ---------------------------------------------------------------- runs from before judges


def test_a_run_of_the_format_before_keeps_its_extractor(tmp_path: Path) -> None:
    recipe = replace(small(recipes.find_recipe("auto")), data=Files(path=str(DATA)))
    judged = replace(recipe, evaluation=Evaluation(judges=THREE.judges[1:2], samples=60, seed=3), held_out=HeldOut(share=0.0))
    RunFolder.write_settings(tmp_path, judged, judged, 0, {}, {})
    meta = json.loads((tmp_path / "recipe.json").read_text())
    for name in ("recipe", "asked"):
        (judge,) = meta[name]["evaluation"].pop("judges")
        del meta[name]["held_out"]
        meta[name]["evaluation"] |= {"extractor": judge["extractor"], "metrics": judge["metrics"]}
    (tmp_path / "recipe.json").write_text(json.dumps(meta | {"format": 5}))
    run = RunFolder(tmp_path)
    assert (run.recipe, run.requested) == (judged, judged)
    assert to_json(run.recipe) == json.loads((tmp_path / "recipe.json").read_text())["recipe"] | {
        "evaluation": to_json(judged.evaluation),
        "held_out": to_json(HeldOut(share=0.0)),
    }
    assert upgrade_settings(meta)["format"] == 6
    (tmp_path / "recipe.json").write_text(json.dumps(meta | {"format": 4}))
    with pytest.raises(GanvasError, match=r"run format 4, this one reads 6\): use that version"):
        RunFolder(tmp_path)


def test_points_are_judged_by_their_coordinates() -> None:
    assert fill_judges(Evaluation(), PointsCodec(dim=2)).judges[0].extractor == Coordinates()
