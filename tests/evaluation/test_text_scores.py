"""Scores of pictures from captions: of generators that obey, that do not listen, and that paint noise."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

from ganvas.core import GeneratorNetwork, Nets
from ganvas.data import Captioned, Columns, EncodedDataset, HeldOut
from ganvas.data.dataset import open_data
from ganvas.evaluation import label_classifier
from ganvas.evaluation.captions.matching_network import MatchingNetwork, measure_matching_loss
from ganvas.evaluation.evaluator import Evaluator
from ganvas.evaluation.exhibits import collect_exhibits
from ganvas.evaluation.score_card import format_card
from ganvas.extractors import Pixels
from ganvas.media import Captions, Image
from ganvas.methods import Adversarial
from ganvas.metrics import Frechet
from ganvas.metrics.captions import (
    draw_candidates,
    find_near_candidates,
    measure_fine_detail,
    measure_r_precision,
    measure_variety,
)
from ganvas.recipe import Evaluation, Judge, TextJudge
from ganvas.text import unpack_text
from hashed_words import HashedWords

COLOURS = {"red": (230, 40, 40), "green": (40, 230, 40), "blue": (40, 40, 230), "white": (240, 240, 240)}
LOOKS = list(product(COLOURS, COLOURS, ("left", "right"), ("above", "below")))  # of a block, of the ground, and where it is
EVALUATION = Evaluation(
    judges=(Judge(extractor=Pixels(), metrics=(Frechet(),)),),
    text_judge=TextJudge(width=8, size=32, steps=200, batch=64),
    samples=40,
    snapshot_samples=40,
)
Data = tuple[EncodedDataset, EncodedDataset]


def say(look: tuple[str, ...]) -> str:
    block, ground, side, height = look
    return f"{block} block on {ground}ish ground {side} {height}"


def paint(look: tuple[str, ...]) -> np.ndarray:
    """uint8 [16, 16, 3]."""
    block, ground, side, height = look
    pixels = np.full((16, 16, 3), COLOURS[ground], np.float64) * 0.6
    rows, columns = (slice(1, 7), slice(9, 15))[height == "below"], (slice(1, 7), slice(9, 15))[side == "right"]
    pixels[rows, columns] = COLOURS[block]
    return pixels


class TextPainter(GeneratorNetwork):
    """Paints what a text says, or anything at all if it is deaf; with noise of z."""

    conditions = ("text",)
    z_dim = 3

    def __init__(self, sentences: Tensor, is_deaf: bool = False, noise: float = 0.05) -> None:
        super().__init__()
        self.sentences, self.is_deaf, self.noise = sentences, is_deaf, noise
        self.pictures = torch.from_numpy(np.stack([paint(look) for look in LOOKS])).permute(0, 3, 1, 2).float() / 127.5 - 1
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor, text: Tensor) -> Tensor:
        numbers = torch.cdist(unpack_text(text).sentence, self.sentences).argmin(1)
        if self.is_deaf:
            numbers = (z[:, 0].abs() * 1e4).long() % len(LOOKS)
        grain = torch.sin(torch.arange(3 * 16 * 16) * 7.3 * (1 + z[:, :1].abs())).reshape(-1, 3, 16, 16)
        return self.pictures[numbers] + self.noise * grain + 0.1 * z[:, :, None, None]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    top, rng = tmp_path_factory.mktemp("blocks"), np.random.default_rng(0)
    lines = ["file_name,text,block,side"]
    for k in range(3 * len(LOOKS)):
        look = LOOKS[k % len(LOOKS)]
        pixels = paint(look) + rng.normal(0, 10, 3) + rng.normal(0, 4, (16, 16, 3))
        Pillow.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(top / f"{k:04d}.png")
        lines.append(f"{k:04d}.png,{say(look)},{look[0]},{look[2]}")
    (top / "captions.csv").write_text("\n".join(lines) + "\n")
    medium = Columns(media={"x": Image(size=16), "text": Captions(encoder=HashedWords())})
    _, training, held_out = open_data(
        Captioned(path=str(top)), medium, is_quiet=True, held_out=HeldOut(share=0.2), held_out_key="blocks"
    )
    assert held_out is not None
    return training, held_out


@pytest.fixture(scope="module")
def evaluator(data: Data) -> Evaluator:
    return Evaluator(EVALUATION, *data, None)


def build_nets(data: Data, **settings: Any) -> Nets:
    condition = data[0].conditions["text"]
    sentences = condition.parse_all([say(look) for look in LOOKS])[:, 0, :-1]  # type: ignore[attr-defined]
    nets = nn.ModuleDict({"G": TextPainter(sentences, **settings), "D": nn.Linear(1, 1)})
    nets.update(dict(Adversarial().state(data[0].spec, nets)))
    return nets


def test_a_generator_that_obeys_is_as_good_as_real_pictures(data: Data, evaluator: Evaluator) -> None:
    nets, random_state = build_nets(data), torch.get_rng_state()
    card = evaluator.score_final(Adversarial(), nets)
    assert torch.equal(torch.get_rng_state(), random_state)
    scores, floor, chance = card["scores"], card["floor"], card["baselines"]["chance"]
    for name in ("R-precision", "hard R-precision", "attributes named", "block named", "side named"):
        assert scores[name] >= floor[name] - 0.1, name
    for name in ("R-precision", "hard R-precision", "attributes named"):
        assert min(scores[f"known {name}"], floor[f"known {name}"]) > 0.9, name
    assert scores["side named"] > chance["side named"]
    assert scores["R-precision"] > 10 * chance["R-precision"]
    assert chance["R-precision"] == pytest.approx(1 / 64)  # the captions of 63 other looks
    assert chance["side named"] == 0.75
    assert floor["fine detail"] == pytest.approx(1, abs=0.2)
    assert scores["pixel variety of a caption"] == pytest.approx(floor["pixel variety of a caption"], rel=0.6)
    printed = format_card(card)
    assert "chance" in printed
    assert "R-precision: a network trained for scores alone finds each picture's caption among 63 others" in printed


def test_a_generator_that_does_not_listen_is_no_better_than_chance(data: Data, evaluator: Evaluator) -> None:
    scores = evaluator.score_final(Adversarial(), build_nets(data, is_deaf=True))["scores"]
    assert scores["R-precision"] < 0.15
    assert scores["known R-precision"] < 0.15
    assert scores["known attributes named"] < 0.6
    assert scores["pixel variety of a caption"] > 50


def test_noise_is_too_much_detail(data: Data, evaluator: Evaluator) -> None:
    assert evaluator.score_final(Adversarial(), build_nets(data, noise=0.5))["scores"]["fine detail"] > 3


def test_unseen_captions_are_no_captions_of_training(evaluator: Evaluator) -> None:
    assert evaluator.texts is not None
    unseen, known = (set(captioned.read_first_texts()) for captioned in evaluator.texts.sets.values())
    assert unseen
    assert not unseen & known


def test_without_held_out_samples_known_captions_alone_are_scored(data: Data) -> None:
    evaluator = Evaluator(replace(EVALUATION, text_judge=TextJudge(steps=2)), data[0], None, None)
    assert evaluator.texts is not None
    assert list(evaluator.texts.sets) == ["known"]
    scores = evaluator.texts.compute_scores(Adversarial(), build_nets(data)).scores
    assert "known R-precision" in scores
    assert "R-precision" not in scores


def test_the_matching_network_is_trained_once(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = replace(EVALUATION, text_judge=TextJudge(width=4, steps=5))
    first = Evaluator(quick, *data, tmp_path)
    assert first.texts is not None
    weights = first.texts.network.state_dict()

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(label_classifier, "train_classifier", refuse)
    second = Evaluator(quick, *data, tmp_path)
    assert second.texts is not None
    assert all(torch.equal(value, second.texts.network.state_dict()[name]) for name, value in weights.items())


def test_exhibits_show_both_kinds_of_captions(data: Data, evaluator: Evaluator) -> None:
    exhibits = {exhibit.name: exhibit for exhibit in collect_exhibits(evaluator, Adversarial(), build_nets(data))}
    assert exhibits["unseen_captions"].caption.startswith("Captions that training never saw: on the left the real picture")
    assert exhibits["known_captions"].data[:4] == b"\x89PNG"


def test_r_precision_by_hand() -> None:
    captions = torch.eye(4)
    pictures = torch.tensor([[1.0, 0, 0, 0], [0, 0.2, 1, 0], [0, 0, 0.5, 0.4]])
    own = torch.tensor([0, 1, 2])
    is_mismatch = torch.arange(4)[None] != own[:, None]
    everything = draw_candidates(is_mismatch, torch.Generator().manual_seed(0))
    assert [sorted(row) for row in everything.tolist()] == [[1, 2, 3], [0, 2, 3], [0, 1, 3]]
    assert measure_r_precision(pictures, captions, own, everything) == pytest.approx(2 / 3)
    assert measure_r_precision(pictures, captions, own, own[:, None]) == 0  # a tie is no win


def test_without_other_captions_there_are_no_candidates() -> None:
    assert draw_candidates(torch.zeros(2, 1, dtype=torch.bool), torch.Generator()).shape == (2, 0)


def test_near_candidates_are_the_nearest_that_do_not_belong() -> None:
    vectors = torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2], [0, 1]])
    is_mismatch = torch.tensor([[False, True, True, True], [True, True, False, True]])
    near = find_near_candidates(is_mismatch, vectors, torch.tensor([0, 2]), 1)
    assert near.tolist() == [[1], [1]]


def test_variety_by_hand() -> None:
    assert measure_variety([torch.tensor([[0.0], [1], [3]]), torch.tensor([[0.0], [4]]), torch.zeros(1, 1)]) == 3
    assert measure_variety([torch.zeros(1, 1)]) is None


def test_fine_detail_sees_only_the_highest_frequencies() -> None:
    reals = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    wave = torch.cos(torch.arange(16) * 2 * torch.pi / 16).expand(4, 3, 16, 16)
    assert measure_fine_detail(reals + 5 * wave, reals) == pytest.approx(1)
    assert measure_fine_detail(2 * reals, reals) == pytest.approx(4)
    blurred = nn.functional.avg_pool2d(reals, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert measure_fine_detail(blurred, reals) < 0.1


def test_equal_captions_share_the_credit() -> None:
    network = MatchingNetwork((3, 16, 16), 5, (), 4, 8).eval()
    x, sentences = torch.randn(2, 3, 16, 16).repeat_interleave(2, 0), torch.randn(2, 5).repeat_interleave(2, 0)
    with torch.no_grad():
        network.log_scale.fill_(6.0)
        network.text_vector = nn.Linear(5, 8)
        doubled = measure_matching_loss(network, x, sentences, None)
        single = measure_matching_loss(network, x[::2], sentences[::2], None)
    assert float(doubled) == pytest.approx(float(single) + 2 * np.log(2), rel=1e-4)
