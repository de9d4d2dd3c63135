"""Scores of translators: each result meets its own truth, and baselines stand in the generator's place."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pictures
from torch import Tensor, nn

from ganvas.configuration import config
from ganvas.core import Batch, GeneratorNetwork, Latents, Nets, Spec, Traits
from ganvas.data import Columns, HeldOut, Pairs
from ganvas.data.dataset import EncodedDataset, open_data
from ganvas.evaluation.evaluator import Evaluator
from ganvas.evaluation.exhibits import collect_exhibits
from ganvas.evaluation.pair_scorer import list_losses_to_baselines
from ganvas.evaluation.score_card import format_card
from ganvas.extractors import Pixels
from ganvas.media import Image
from ganvas.methods import Adversarial
from ganvas.metrics import Frechet
from ganvas.recipe import Evaluation, Judge, PairJudge

COUNT = 150  # of pairs: more than two blocks of 64


@config
class Difference:
    """Mean absolute difference."""

    @property
    def lower_is_better(self) -> dict[str, bool]:
        return {"difference": True}

    def __call__(self, x: Tensor, other: Tensor) -> dict[str, Tensor]:
        return {"difference": (x - other).abs().flatten(1).mean(1)}


@config
class Likeness:
    """How like the source: a score without a truth."""

    @property
    def lower_is_better(self) -> dict[str, bool]:
        return {"likeness": False}

    def __call__(self, x: Tensor, other: Tensor) -> dict[str, Tensor]:
        return {"likeness": 2 - (x - other).abs().flatten(1).mean(1)}


@config
class Negative:
    """A baseline that knows the answer: the negative of the source."""

    @property
    def name(self) -> str:
        return "negative"

    def applies_to(self, spec: Spec) -> bool:
        return "source" in spec.conditions

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        assert torch.allclose(training["x"], -training["source"], atol=1e-5)
        return lambda batch: -batch["source"]


@config
class Useless:
    """A baseline that does not suit the data."""

    @property
    def name(self) -> str:
        return "useless"

    def applies_to(self, spec: Spec) -> bool:
        return False

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        raise AssertionError


class Factor(GeneratorNetwork):
    """source -> factor times the source."""

    conditions = ("source",)

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, source: Tensor) -> Tensor:
        return self.factor * source


def networks(factor: float, data: EncodedDataset) -> Nets:
    nets = nn.ModuleDict({"G": Factor(factor), "D": nn.Linear(1, 1)})
    nets.update(Adversarial().state(data.spec, nets))
    return nets


TRUTH = PairJudge(metrics=(Difference(),))
SOURCE = PairJudge(metrics=(Likeness(),), against="source")
EVALUATION = Evaluation(
    judges=(Judge(extractor=Pixels(), metrics=(Frechet(),)),),
    pair_judges=(SOURCE, TRUTH),
    baselines=(Negative(), Useless()),
    samples=100,
    snapshot_samples=80,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[EncodedDataset, EncodedDataset]:
    """Pairs of a gray picture and its negative."""
    folder, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for side in "AB":
        (folder / side).mkdir()
    for k in range(COUNT):
        pixels = rng.integers(0, 150, (8, 8), np.uint8)  # darker than its negative, so that the identity is worse by any score
        Pictures.fromarray(pixels).save(folder / "A" / f"{k}.png")
        Pictures.fromarray(255 - pixels).save(folder / "B" / f"{k}.png")
    medium = Columns(media={"x": Image(size=8), "source": Image(size=8)})
    _, training, held_out = open_data(Pairs(path=str(folder)), medium, is_quiet=True, held_out=HeldOut(share=0.6))
    assert held_out is not None
    return training, held_out


def test_each_result_meets_its_own_truth(data: tuple[EncodedDataset, EncodedDataset]) -> None:
    evaluator = Evaluator(EVALUATION, *data, None)
    assert evaluator.best_by == ("difference", True)
    card = evaluator.score_final(Adversarial(), networks(-1.0, data[0]))
    assert card["protocol"]["samples"] == 90  # all that are held out
    assert list(card["scores"]) == ["difference", "likeness", "frechet"] == list(card["lower_is_better"])
    assert card["scores"]["difference"] == pytest.approx(0, abs=1e-6)
    identity = evaluator.score_snapshot(Adversarial(), networks(1.0, data[0]))
    batch = evaluator.sources.load(evaluator.sources.reals, 0, 80)  # type: ignore[union-attr]
    assert identity["scores"]["difference"] == pytest.approx(2 * batch["x"].abs().mean().item(), rel=1e-4)
    assert identity["scores"]["likeness"] == pytest.approx(2, abs=1e-6)
    assert evaluator.is_better(card["scores"]["difference"], identity["scores"]["difference"])


def test_without_a_truth_the_distance_to_the_domain_and_the_content_decide(data: tuple[EncodedDataset, EncodedDataset]) -> None:
    evaluator = Evaluator(replace(EVALUATION, pair_judges=(SOURCE,)), *data, None)
    assert evaluator.best_by == ("frechet / likeness", True)
    scores = evaluator.score_snapshot(Adversarial(), networks(1.0, data[0]))["scores"]
    assert list(scores) == ["frechet / likeness", "frechet", "likeness"]
    assert scores["frechet / likeness"] == pytest.approx(scores["frechet"] / scores["likeness"])
    card = evaluator.score_final(Adversarial(), networks(1.0, data[0]))
    negative = card["baselines"]["negative"]
    assert negative["frechet / likeness"] == pytest.approx(negative["frechet"] / negative["likeness"])


def test_baselines_stand_beside_and_a_loss_to_them_is_said(data: tuple[EncodedDataset, EncodedDataset]) -> None:
    evaluator = Evaluator(EVALUATION, *data, None)
    card = evaluator.score_final(Adversarial(), networks(1.0, data[0]))
    assert set(card["baselines"]) == {"negative"}
    assert card["baselines"]["negative"]["difference"] == pytest.approx(0, abs=1e-6)
    assert card["baselines"]["negative"]["frechet"] == pytest.approx(card["floor"]["frechet"], rel=2)
    losses = [line for line in card["cautions"] if "baseline" in line]
    assert [line.split(":")[0] for line in losses] == ["difference", "frechet"]  # not likeness: the source is best by it
    text = format_card(card)
    assert "negative" in text.splitlines()[0]
    assert "–" in next(line for line in text.splitlines() if "difference" in line)  # reals have no truth of their own


def test_which_losses_are_said() -> None:
    lower_is_better = {"psnr": False, "kid": True}
    baselines = {"identity": {"psnr": 20.0, "kid": 0.5, "detail": 1.0}, "mean": {"psnr": 21.0, "kid": 0.4}}
    assert list_losses_to_baselines({"psnr": 22.0, "kid": 0.3, "detail": 2.0}, baselines, lower_is_better) == []
    (line,) = list_losses_to_baselines({"psnr": 20.5, "kid": 0.3}, baselines, lower_is_better)
    assert line == "psnr: the baseline mean is no worse, 21 against 20.5"
    assert len(list_losses_to_baselines({"kid": 0.4}, baselines, {"kid": True})) == 1
    constant = {"identity": {"truth": 3.0}, "mean": {"truth": 3.0}}
    assert list_losses_to_baselines({"truth": 3.0}, constant, {"truth": False}) == []


def test_pictures_show_source_result_and_truth(data: tuple[EncodedDataset, EncodedDataset]) -> None:
    nets = networks(-1.0, data[0])
    paired, unpaired = (
        Evaluator(replace(EVALUATION, pair_judges=judges), *data, None).draw_preview(Adversarial(), nets, 0)
        for judges in ((TRUTH,), (SOURCE,))
    )
    assert paired.width == pytest.approx(unpaired.width * 3 / 2, rel=0.05)
    pixels = np.asarray(paired.convert("L"), np.int64)
    tiles = [pixels[25:110, 6 + 98 * k : 90 + 98 * k] for k in range(3)]  # source, result, truth of the first one
    assert np.abs(tiles[1] - tiles[2]).mean() < 4 < 40 < np.abs(tiles[0] - tiles[1]).mean()
    exhibits = collect_exhibits(Evaluator(EVALUATION, *data, None), Adversarial(), nets)
    assert {exhibit.name for exhibit in exhibits} == {"before_after", "nearest"}


def test_numbers_of_a_network_with_z_are_drawn_and_sources_are_not(data: tuple[EncodedDataset, EncodedDataset]) -> None:
    asked: list[int] = []

    class Recording(Adversarial):
        def traits(self, nets: Nets) -> Traits:
            return Traits(conditions=("source",))

        def draw_latents(self, nets: Any, n: int, generator: Any = None, request: Any = None) -> Latents:
            asked.append(n)
            return {"z": torch.randn(n, 2, generator=generator), "source": torch.zeros(n, 1, 8, 8)}

        def render(self, nets: Nets, latents: Latents) -> Tensor:
            return latents["source"] * 0 + latents["z"].mean(1)[:, None, None, None].sign() * 0.5

    evaluator = Evaluator(EVALUATION, *data, None)
    first, second = (evaluator.draw_fakes(Recording(), networks(1.0, data[0]), 70) for _ in range(2))
    assert torch.equal(first, second)
    assert first.unique().numel() == 2
    assert asked == [64, 6] * 2
