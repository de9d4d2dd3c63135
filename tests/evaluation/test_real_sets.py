"""Which real samples judges see: reference, held-out and unseen ones, loaded only as far as they are needed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.core import Batch
from ganvas.data import EncodedDataset, HeldOut, prepare_dataset
from ganvas.data.items import build_array_items
from ganvas.data.rows import SelectedRows
from ganvas.evaluation import reals, scorer
from ganvas.evaluation.evaluator import Evaluator
from ganvas.evaluation.judges import choose_judges
from ganvas.extractors import Pixels
from ganvas.media import ImageCodec, PointsCodec
from ganvas.metrics import Copying, Frechet
from ganvas.recipe import Evaluation, Judge

CODEC = ImageCodec(size=4, channels=1, framing="crop", background=255, flip=False)
ALONE = Evaluation(judges=(Judge(extractor=Pixels(), metrics=(Frechet(), Copying())),), samples=60, snapshot_samples=20)
PLAIN = replace(ALONE, judges=(Judge(extractor=Pixels(), metrics=(Frechet(),)),))


def dataset(n: int) -> EncodedDataset:
    pictures = np.random.default_rng(n).integers(256, size=(n, 4, 4), dtype=np.uint8)
    return prepare_dataset(build_array_items(pictures, np.arange(n) % 2, "x", f"{n}", "x"), CODEC, None, quiet=True)


def split(n: int, share: float) -> tuple[EncodedDataset, EncodedDataset]:
    training, held_out = dataset(n).hold_out(HeldOut(share=share), "key")
    assert held_out is not None
    return training, held_out


def list_contents(columns: Batch) -> list[bytes]:
    return [row.numpy().tobytes() for row in columns["x"]]


def test_the_three_sets_share_no_sample_and_lie_where_the_data_lies() -> None:
    training, held_out = split(400, 0.2)
    sets = Evaluator(ALONE, training, held_out, None).split
    assert sets.unseen is not None
    assert (sets.reference.size, sets.held_out.size, sets.unseen.size) == (160, 160, 80)
    contents = [list_contents(one.take(0, 1000)) for one in (sets.reference, sets.held_out, sets.unseen)]
    assert sorted(contents[0] + contents[1]) == sorted(list_contents(dict(training.columns)))
    assert sorted(contents[2]) == sorted(list_contents(dict(held_out.columns)))
    assert isinstance(training.columns, SelectedRows)
    for one in (sets.reference, sets.held_out, sets.unseen):
        assert isinstance(one.columns, SelectedRows)
        assert one.columns.whole["x"] is training.columns.whole["x"], "no copy of all the samples"
        row = one.take(3, 4)
        assert int(row["label"][0]) == int(one.conditions["label"][3])


def test_unseen_samples_are_loaded_only_for_a_metric_that_needs_them() -> None:
    training, held_out = split(400, 0.2)
    judge = Evaluator(PLAIN, training, held_out, None)
    assert judge.real_features.unseen is None
    assert judge.scorers[0].metrics == (Frechet(),)
    judge.use_evaluation(ALONE)
    real = judge.real_features
    assert real.unseen is not None
    assert len(real.unseen.features) == 80
    assert sum(len(part.features) for part in real.training) == 320
    assert judge.scorers[0].metrics == (Frechet(), Copying())


def test_too_few_unseen_samples_take_the_metric_off_the_card() -> None:
    judge = Evaluator(ALONE, *split(400, 0.1), None)
    assert judge.scorers[0].metrics == (Frechet(),)
    assert judge.check_floors() == []


def test_a_test_part_is_unseen() -> None:
    judge = Evaluator(ALONE, dataset(200), dataset(100), None)
    real = judge.real_features
    assert real.unseen is real.held_out
    assert real.training == (real.reference,)
    assert judge.scorers[0].metrics == (Frechet(), Copying())
    alone = Evaluator(ALONE, dataset(200), None, None)
    assert alone.real_features.unseen is None
    assert alone.scorers[0].metrics == (Frechet(),)


def test_what_a_card_compares_with_depends_on_its_size_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on the cards before it, which may have loaded more."""
    monkeypatch.setattr(scorer, "FEATURE_BLOCK", 25)
    training, held_out = dataset(150), dataset(100)
    fresh = Evaluator(ALONE, training, held_out, None).scorers[0].load_reals(30)
    assert len(fresh.held_out.features) == 50  # whole blocks
    used = Evaluator(ALONE, training, held_out, None).scorers[0]
    assert len(used.load_reals(1000).held_out.features) == 100
    again = used.load_reals(30)
    for a, b in zip((fresh.held_out, fresh.unseen), (again.held_out, again.unseen), strict=True):
        assert a is not None
        assert b is not None
        np.testing.assert_array_equal(a.features, b.features)
        np.testing.assert_array_equal(a.conditions["label"], b.conditions["label"])


def test_a_card_says_if_copies_of_some_training_samples_go_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reals, "MAX_REFERENCE_SAMPLES", 60)
    scorers = [Evaluator(ALONE, *parts, None).scorers[0] for parts in ((dataset(200), dataset(100)), split(400, 0.2))]
    cautions = [one.list_cautions(Copying(), 50) for one in scorers]
    ending = "training samples: copies of the others go unnoticed"
    assert cautions == [[f"copying looks at 60 of 200 {ending}"], [f"copying looks at 220 of 320 {ending}"]]
    assert scorers[0].list_cautions(Frechet(), 50) == []
    monkeypatch.undo()
    assert Evaluator(ALONE, *split(400, 0.2), None).scorers[0].list_cautions(Copying(), 50) == []


@pytest.mark.parametrize("codec", [CODEC, PointsCodec(dim=2)])
def test_the_first_judge_that_the_data_chooses_looks_for_copies(codec: ImageCodec | PointsCodec) -> None:
    first, *others = choose_judges(codec)
    assert Copying() in first.metrics
    assert not any(Copying() in judge.metrics for judge in others)


def test_mapped_samples_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No block of features needs more than a block of samples in memory."""
    monkeypatch.setattr(scorer, "FEATURE_BLOCK", 25)
    data = dataset(200)
    np.save(tmp_path / "x.npy", data.columns["x"].numpy())
    mapped = torch.from_numpy(np.load(tmp_path / "x.npy", mmap_mode="r+"))
    sizes: list[int] = []
    take = reals.take_rows

    def watch(columns: Batch, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        sizes.append(len(rows))
        return take(columns, rows)

    monkeypatch.setattr(reals, "take_rows", watch)
    training, held_out = replace(data, columns={**data.columns, "x": mapped}).hold_out(HeldOut(share=0.3), "key")
    assert held_out is not None
    judge = Evaluator(ALONE, training, held_out, None)
    sizes.clear()  # of the preview
    assert len(judge.real_features.reference.features) == 70
    assert sum(sizes) == 70 + 70 + 60  # held-out samples in whole blocks: 60 asked, 70 there
    assert max(sizes) == 25
