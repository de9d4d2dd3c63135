"""One translator for many domains is asked for other labels, and a classifier tells whether its results show them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pictures
from torch import Tensor, nn

from ganvas.core import GeneratorNetwork, Nets
from ganvas.data import Files
from ganvas.data.dataset import EncodedDataset, open_data
from ganvas.evaluation import label_classifier
from ganvas.evaluation.evaluator import Evaluator
from ganvas.evaluation.label_scorer import score_labels
from ganvas.evaluation.wanted_labels import change_attributes, draw_wanted_labels, list_wanted_labels
from ganvas.extractors import Pixels
from ganvas.media import Degraded, Image, Unchanged
from ganvas.methods import Adversarial
from ganvas.metrics import Frechet
from ganvas.metrics.baselines import Identity
from ganvas.recipe import Evaluation, Judge, LabelJudge
from small_recipes import class_condition, vector_condition

Data = tuple[EncodedDataset, EncodedDataset]
HAIR = torch.tensor([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1]]).float()  # black or blond; glasses
EVALUATION = Evaluation(
    judges=(Judge(extractor=Pixels(), metrics=(Frechet(),)),),
    label_judge=LabelJudge(width=4, steps=80),
    baselines=(Identity(),),
    samples=60,
    snapshot_samples=60,
)


class Painter(GeneratorNetwork):
    """Sets the channels that a label turns on to bright, and others to dark: eyes of 0 leave the source as it is."""

    conditions = ("source", "label")

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.tensor(strength))

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        if label.dim() == 1:
            label = nn.functional.one_hot(label, 3)
        painted = (label.float() - 0.5)[:, :, None, None].expand_as(source)
        return torch.lerp(source, painted, self.strength)


def networks(strength: float, data: Data) -> Nets:
    nets = nn.ModuleDict({"G": Painter(strength), "D": nn.Linear(1, 1)})
    nets.update(Adversarial().state(data[0].spec, nets))
    return nets


def write_faces(folder: Path, has_classes: bool) -> Data:
    """RGB noise, bright in the channels that a label turns on: attributes of a table, or a class each."""
    rng, lines = np.random.default_rng(0), ["file,red,green,blue"]
    for k in range(240):
        part, label = ("train", "test")[k >= 180], np.eye(3)[k % 3] if has_classes else rng.integers(0, 2, 3)
        pixels = rng.integers(0, 100, (16, 16, 3)) + 150 * label
        name = f"{part}/{'rgb'[k % 3]}/{k}.png" if has_classes else f"{part}/{k}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Pictures.fromarray(pixels.astype(np.uint8)).save(folder / name)
        lines.append(f"{name},{','.join(str(int(value)) for value in label)}")
    if not has_classes:
        (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    medium = Degraded(medium=Image(size=16), by=(Unchanged(),))
    _, training, held_out = open_data(Files(path=str(folder)), medium, is_quiet=True)
    assert held_out is not None
    return training, held_out


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return write_faces(tmp_path_factory.mktemp("faces"), has_classes=False)


@pytest.fixture(scope="module")
def painter(faces: Data) -> Evaluator:
    return Evaluator(EVALUATION, *faces, None)


def test_a_translator_that_obeys_is_right_and_one_that_does_nothing_keeps_all(faces: Data, painter: Evaluator) -> None:
    assert painter.best_by == ("label right", False)
    random_state = torch.get_rng_state()
    card = painter.score_final(Adversarial(), networks(1.0, faces))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert list(card["scores"]) == ["label right", "label found", "label kept", "frechet"]
    for name in ("label right", "label found", "label kept"):
        assert card["scores"][name] > 0.95
        assert card["floor"][name] > 0.95  # real pictures: the classifier can be believed
    identity = card["baselines"]["identity"]
    assert max(identity["label right"], identity["label found"]) < 0.05
    assert identity["label kept"] > 0.95
    assert not [line for line in card["cautions"] if "right" in line or "frechet" in line]
    lazy = painter.score_snapshot(Adversarial(), networks(0.0, faces))
    assert lazy["scores"]["label right"] == pytest.approx(identity["label right"])
    assert painter.is_better(card["scores"]["label right"], lazy["scores"]["label right"])


def test_the_preview_has_a_column_for_each_attribute(faces: Data, painter: Evaluator) -> None:
    page = np.asarray(painter.draw_preview(Adversarial(), networks(1.0, faces), 0), np.int64)
    assert page.shape[1] == 4 * (96 + 2) + 2
    tiles = [page[40:90, 10 + 98 * k : 80 + 98 * k].mean((0, 1)) for k in range(4)]  # of the first face
    for k in range(3):
        is_other = np.abs(tiles[k + 1] - tiles[0]) > 60
        assert is_other.tolist() == [channel == k for channel in range(3)]


def test_classes(tmp_path: Path) -> None:
    data = write_faces(tmp_path, has_classes=True)
    evaluator = Evaluator(EVALUATION, *data, None)
    card = evaluator.score_final(Adversarial(), networks(1.0, data))
    assert card["scores"]["label found"] > 0.95
    assert card["baselines"]["identity"]["label found"] < 0.05
    assert "label kept" not in card["scores"]
    assert evaluator.draw_preview(Adversarial(), networks(1.0, data), 0).width == 4 * (96 + 2) + 2


def test_without_a_judge_of_labels_a_translation_gets_its_own(faces: Data) -> None:
    evaluator = Evaluator(replace(EVALUATION, label_judge=None), *faces, None)
    assert evaluator.best_by == ("frechet", True)
    stored = evaluator.draw_fakes(Adversarial(), networks(1.0, faces), 60)
    assert evaluator.sources is not None
    own = evaluator.sources.list_own_labels(60)
    assert torch.equal((stored.float().mean((1, 2)) > 127).float(), own)


def test_the_classifier_is_trained_once(
    faces: Data, painter: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = faces[1].columns["x"][:20]
    first = Evaluator(EVALUATION, *faces, tmp_path).labels
    assert first is not None
    assert painter.labels is not None
    read = first.read_labels(pictures)
    assert torch.equal(read, painter.labels.read_labels(pictures))
    monkeypatch.setattr(label_classifier, "train_classifier", refuse)
    second = Evaluator(EVALUATION, *faces, tmp_path).labels
    assert second is not None
    assert torch.equal(read, second.read_labels(pictures))
    (path,) = (tmp_path / "label-classifiers").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(AssertionError, match="trains again"):
        Evaluator(EVALUATION, *faces, tmp_path).labels.read_labels(pictures)  # type: ignore[union-attr]


def refuse(*_: Any) -> None:
    raise AssertionError("trains again")


def test_an_attribute_changes_with_those_that_it_excludes() -> None:
    own = torch.tensor([[1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]]).float()
    changed = change_attributes(own, torch.tensor([1, 0, 2, 0]), HAIR)
    assert changed.tolist() == [[0, 1, 1], [0, 0, 1], [0, 1, 1], [1, 0, 0]]


def test_an_attribute_that_the_data_has_one_value_of_changes_alone() -> None:
    assert change_attributes(
        torch.tensor([[1.0, 0.0]]), torch.tensor([1]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    ).tolist() == [[1.0, 1.0]]


DRAWS: dict[str, Callable[[], tuple[Tensor, Any, Tensor]]] = {
    "classes": lambda: (torch.arange(400) % 3, class_condition(3), torch.arange(3)),
    "attributes": lambda: (HAIR[torch.arange(400) % 6], vector_condition(3), HAIR),
}


@pytest.mark.parametrize("name", DRAWS)
def test_labels_asked_for_differ_and_follow_from_the_seed(name: str) -> None:
    own, condition, known = DRAWS[name]()
    first, second = (draw_wanted_labels(own, condition, known, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    is_same = first == own
    assert not (is_same if own.dim() == 1 else is_same.all(1)).any()
    allowed = known.tolist()
    assert all(label in allowed for label in first.tolist())
    assert len(first.unique(dim=0)) == len(known)
    columns = dict(list_wanted_labels(own[:2], condition, known))
    assert len(columns) == 3
    if own.dim() == 1:
        assert [column.tolist() for column in columns.values()] == [[0, 0], [1, 1], [2, 2]]


def test_scores_by_hand() -> None:
    own = torch.tensor([[1, 0, 1], [1, 0, 0]]).float()
    wanted = torch.tensor([[0, 1, 1], [1, 0, 1]]).float()
    read = torch.tensor([[0, 1, 0], [1, 1, 0]]).float()
    # the first shows both changes, and loses the third column; the second lacks its change, and keeps one column of two
    assert score_labels(read, own, wanted) == {"label right": 0.0, "label found": 0.5, "label kept": pytest.approx(1 / 3)}
    assert score_labels(torch.tensor([1, 2]), torch.tensor([0, 0]), torch.tensor([1, 1])) == {"label found": 0.5}
