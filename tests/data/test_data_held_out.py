"""Which samples are held out of training: how many, of which classes, copies, always the same, and nothing is duplicated."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.data import Balanced, EncodedDataset, Files, HeldOut, Mixture, prepare_dataset
from ganvas.data.copies import PEEKED_BYTES, find_first_copies
from ganvas.data.dataset import open_data
from ganvas.data.held_out import MIN_CLASS_SAMPLES, describe_held_out
from ganvas.data.items import build_array_items
from ganvas.data.rows import SelectedRows
from ganvas.errors import GanvasError
from ganvas.media import Image, ImageCodec

CODEC = ImageCodec(size=4, channels=1, framing="crop", background=255, flip=False)
USUAL = HeldOut()


def dataset(n: int, labels: np.ndarray | None = None, size: int = 4, copies: int = 1) -> EncodedDataset:
    """Different pictures; each of them `copies` times, scattered."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(n // copies, size, size), dtype=np.uint8)
    pictures = pictures[rng.permutation(np.arange(n) % len(pictures))]
    items = build_array_items(pictures, labels, "x", "fingerprint", "pictures")
    return prepare_dataset(items, replace(CODEC, size=size), None, quiet=True)


def split(data: EncodedDataset, setting: HeldOut = USUAL, key: str = "key") -> tuple[EncodedDataset, EncodedDataset]:
    training, held_out = data.hold_out(setting, key)
    assert held_out is not None
    assert held_out.is_taken_from_training
    return training, held_out


def contents(data: EncodedDataset) -> list[bytes]:
    return [row.numpy().tobytes() for row in data.columns["x"]]


@pytest.mark.parametrize(
    ("total", "setting", "count"),
    [
        (5235, HeldOut(), 262),
        (60_000, HeldOut(), 1000),
        (40, HeldOut(), 2),
        (39, HeldOut(), 0),
        (2, HeldOut(share=0.9), 0),
        (3, HeldOut(share=0.9), 3),
        (5235, HeldOut(share=0), 0),
        (5235, HeldOut(most=0), 0),
        (5235, HeldOut(most=1), 0),
        (5235, HeldOut(most=100), 100),
        (5235, HeldOut(share=0.2), 1000),
        (5235, HeldOut(share=0.2, most=10_000), 1047),
    ],
)
def test_how_many(total: int, setting: HeldOut, count: int) -> None:
    assert setting.count_samples(total) == count


def test_a_few_samples_are_held_out_and_training_keeps_all_others() -> None:
    data = dataset(200)
    training, held_out = split(data)
    assert (len(training), training.held_out_count, len(held_out)) == (190, 10, 10)
    assert sorted(contents(training) + contents(held_out)) == sorted(contents(data))
    assert held_out.fingerprint != training.fingerprint == data.fingerprint


def test_a_tiny_set_is_left_whole() -> None:
    data = dataset(39)
    assert data.hold_out(HeldOut(), "key") == (data, None)
    assert describe_held_out(39, 0, "pictures").startswith("training sees all 39 pictures: none are held out")
    assert describe_held_out(5235, 262, "pictures") == (
        "262 of 5,235 pictures are held out of training, so that copying can be seen"
    )


def test_the_same_ones_for_the_same_key_and_others_for_another() -> None:
    assert contents(split(dataset(200))[1]) == contents(split(dataset(200))[1])
    assert contents(split(dataset(200))[1]) != contents(split(dataset(200), key="other")[1])
    assert set(contents(split(dataset(200), HeldOut(most=5))[1])) < set(contents(split(dataset(200))[1]))


def test_classes_give_their_share_and_small_ones_together_theirs() -> None:
    sizes = {0: 1000, 1: 400, 2: 100, **dict.fromkeys(range(3, 13), 10)}
    assert max(list(sizes.values())[3:]) < MIN_CLASS_SAMPLES
    labels = np.random.default_rng(0).permutation(np.repeat(list(sizes), list(sizes.values())))
    training, held_out = split(dataset(1600, labels))
    assert torch.bincount(held_out.columns["label"])[:3].tolist() == [50, 20, 5]
    assert len(held_out) == 80  # 5 of the ten small classes
    assert len(training.columns["label"]) == len(training) == 1520
    assert training.spec == held_out.spec
    labelled = {(x, int(k)) for x, k in zip(contents(dataset(1600, labels)), labels, strict=True)}
    assert labelled == {
        (x, int(k)) for part in (training, held_out) for x, k in zip(contents(part), part.columns["label"], strict=True)
    }


@pytest.mark.parametrize("size", [4, 80])
@pytest.mark.parametrize("labelled", [False, True])
def test_copies_go_along(size: int, labelled: bool) -> None:
    """Of 240 pictures, each is there five times, also under other labels: no held-out one remains in training."""
    training, held_out = split(dataset(1200, np.arange(1200) % 3 if labelled else None, size, copies=5))
    assert len(held_out) == 60
    assert len(set(contents(held_out))) == 12
    assert not set(contents(held_out)) & set(contents(training))


def test_where_all_are_copies_of_a_few_none_are_held_out() -> None:
    data = dataset(1000, copies=200)
    assert data.hold_out(HeldOut(), "key") == (data, None)
    assert len(split(data, HeldOut(share=0.3))[1]) == 200


def test_copies_are_told_from_samples_that_agree_in_their_middle() -> None:
    long = np.zeros((4, 4 * PEEKED_BYTES), np.uint8)
    long[1, 0] = long[3, 0] = 1  # outside the middle
    assert find_first_copies(long, np.arange(4)).tolist() == [0, 1, 0, 1]
    assert find_first_copies(long, np.array([3, 2, 1])).tolist() == [3, 2, 3]


def test_nothing_is_copied_and_batches_come_from_the_training_rows() -> None:
    data = dataset(200)
    training, held_out = split(data)
    for part in (training, held_out):
        assert isinstance(part.columns, SelectedRows)
        assert part.columns.whole["x"] is data.columns["x"]
    kept = set(contents(training))
    x = training.codec.store(torch.cat([training.batch(seed, 64)["x"] for seed in range(60)]))
    assert {row.numpy().tobytes() for row in x} == kept
    assert torch.equal(training.batch(3, 16)["x"], training.copy_to_device("cpu").batch(3, 16)["x"])


def test_balanced_batches_of_the_training_rows() -> None:
    labels = np.repeat([0, 1], [900, 100])
    data = replace(dataset(1000, labels), sampler=Balanced())
    training, held_out = split(data)
    batch = training.batch(0, 1000)
    assert batch["label"].float().mean().item() == pytest.approx(0.5, abs=0.06)
    assert not set(contents(held_out)) & {row.numpy().tobytes() for row in training.codec.store(batch["x"])}


def test_a_test_part_leaves_nothing_to_hold_out(tmp_path: Path) -> None:
    for name in ("train", "test"):
        pictures = np.random.default_rng(len(name)).integers(256, size=(100, 8, 8), dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", x=pictures)
    alone, both = Files(path=str(tmp_path / "train.npz")), str(tmp_path / "test.npz")
    _, training, held_out = open_data(alone, Image(size=8), is_quiet=True, held_out=HeldOut())
    assert held_out is not None
    assert (len(training), len(held_out)) == (95, 5)
    _, training, held_out = open_data(replace(alone, test=both), Image(size=8), is_quiet=True, held_out=HeldOut())
    assert held_out is not None
    assert (len(training), len(held_out), held_out.is_taken_from_training) == (100, 100, False)
    _, training, held_out = open_data(alone, Image(size=8), is_quiet=True)
    assert (len(training), held_out) == (100, None)
    assert Mixture(count=100).held_out(()) is not None


def test_another_copy_of_the_data_has_the_same_split(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(256, size=(100, 8, 8), dtype=np.uint8)
    splits = list[list[bytes]]()
    for k, folder in enumerate(("here", "there")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "pictures.npy"
        np.save(path, pictures)
        os.utime(path, (k, k))
        _, _, held_out = open_data(Files(path=str(path)), Image(size=8), is_quiet=True, held_out=HeldOut())
        assert held_out is not None
        splits.append(contents(held_out))
    assert splits[0] == splits[1]


def test_settings_are_checked() -> None:
    with pytest.raises(GanvasError, match=r"share must be from 0 to 0\.9, got 1\.0"):
        HeldOut(share=1.0)
    with pytest.raises(GanvasError, match="most must be"):
        HeldOut(most=-1)
