"""Encoded sets: batches that are pure functions, a cache that is whole or absent, and unreadable files counted."""

import errno
import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from ganvas.core import Dataset
from ganvas.data import EncodedDataset, Files, Mixture, cache, dataset, encoding, prepare_dataset
from ganvas.data.items import ItemList, build_array_items
from ganvas.errors import GanvasError
from ganvas.media import ImageCodec, Points, PointsCodec
from ganvas.system.files import find_cache_folder

CODEC = ImageCodec(size=8, channels=1)


def pictures(n: int, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side), dtype=np.uint8)


def items(n: int = 200, broken: tuple[int, ...] = (), array: bool = False) -> ItemList:
    """n pictures with labels 0, 1, 2, 0 …; the broken ones are texts."""
    values = pictures(n)
    found = build_array_items(values, np.arange(n) % 3, "x", f"fingerprint {n}", "a test")
    return found if array else replace(found, read_item=lambda i: b"text" if i in broken else values[i], array=None)


def wanted(n: int = 200, broken: tuple[int, ...] = ()) -> torch.Tensor:
    return torch.from_numpy(np.stack([CODEC.encode(p) for i, p in enumerate(pictures(n)) if i not in broken]))


@pytest.fixture(params=[0.0, 1e9], ids=["threads", "no threads"])
def threads(request, monkeypatch):
    monkeypatch.setattr(encoding, "SLOW_ITEM_SECONDS", request.param)


# ---------------------------------------------------------------- batches


def tensors(flip: bool = True, n: int = 50) -> EncodedDataset:
    codec = ImageCodec(size=8, channels=1, flip=flip)
    return prepare_dataset(items(n), codec, None, quiet=True)


def test_a_batch_is_a_pure_function_of_its_arguments():
    data = tensors()
    typed: Dataset = data
    first = typed.batch(5, 16)
    torch.rand(7)
    data.batch(6, 3)
    again = data.batch(5, 16)
    assert first["x"].shape == (16, 1, 8, 8)
    assert all(torch.equal(first[k], again[k]) for k in ("x", "label"))
    assert not torch.equal(first["x"], data.batch(6, 16)["x"])
    state = torch.get_rng_state()
    data.batch(7, 16)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_batch_goes_with_its_labels():
    data = tensors(flip=False)
    batch = data.batch(3, 64)
    stored = data.codec.store(batch["x"])
    for picture, label in zip(stored, batch["label"], strict=True):
        found = (data.columns["x"] == picture).flatten(1).all(1).nonzero()[0]
        assert label == found % 3


def test_without_labels_there_are_none():
    found = prepare_dataset(replace(items(20), labels=None, classes=()), CODEC, None, quiet=True)
    assert set(found.batch(0, 4)) == {"x"}


def test_moving_keeps_all():
    data = tensors()
    moved = data.copy_to_device("cpu")
    assert torch.equal(moved.batch(1, 4)["x"], data.batch(1, 4)["x"])
    assert (moved.conditions["label"].names, moved.title, moved.fingerprint, moved.skipped_count) == (
        ("0", "1", "2"),
        "a test",
        "fingerprint 50",
        0,
    )


# ---------------------------------------------------------------- the cache


@pytest.mark.usefixtures("threads")
def test_what_is_cached_is_what_is_encoded_and_is_read_only_once(tmp_path):
    found = prepare_dataset(items(), CODEC, tmp_path / "new" / "cache", quiet=True)
    assert torch.equal(found.columns["x"], wanted())
    assert "label" in found.columns
    assert found.columns["label"].tolist() == [i % 3 for i in range(200)]

    def refuse(i):
        raise AssertionError("read again")

    again = prepare_dataset(replace(items(), read_item=refuse), CODEC, tmp_path / "new" / "cache", quiet=True)
    assert torch.equal(again.columns["x"], wanted())
    assert "label" in again.columns
    assert torch.equal(again.columns["label"], found.columns["label"])
    assert [p.suffix for p in (tmp_path / "new" / "cache").iterdir()] == [""]


def test_other_data_and_other_settings_have_entries_of_their_own(tmp_path):
    prepare_dataset(items(), CODEC, tmp_path, quiet=True)
    other = prepare_dataset(items(), ImageCodec(size=8, channels=1, framing="pad"), tmp_path, quiet=True)
    prepare_dataset(replace(items(), fingerprint="other"), CODEC, tmp_path, quiet=True)
    assert other.columns["x"].shape == (200, 8, 8, 1)
    assert len(list(tmp_path.iterdir())) == 3


def test_large_entries_are_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MIN_MAPPED_BYTES", 100)
    stored, _ = cache.load_or_encode(items(), CODEC, tmp_path, quiet=True)
    assert isinstance(stored, np.memmap)
    found = prepare_dataset(items(), CODEC, tmp_path, quiet=True)
    assert torch.equal(found.columns["x"], wanted())
    assert found.batch(0, 8)["x"].shape == (8, 1, 8, 8)


@pytest.mark.usefixtures("threads")
def test_an_interrupted_write_leaves_nothing_and_starts_afresh(tmp_path):
    whole = items()

    def interrupt(i):
        if i == 150:
            raise KeyboardInterrupt
        return whole[i]

    with pytest.raises(KeyboardInterrupt):
        prepare_dataset(replace(whole, read_item=interrupt), CODEC, tmp_path, quiet=True)
    assert list(tmp_path.iterdir()) == []
    assert torch.equal(prepare_dataset(whole, CODEC, tmp_path, quiet=True).columns["x"], wanted())


@pytest.mark.parametrize("damage", ["part", "cut", "no json", "bad json", "empty"])
def test_what_a_kill_or_a_fault_leaves_behind_is_never_used(tmp_path, damage):
    prepare_dataset(items(), CODEC, tmp_path, quiet=True)
    entry = next(tmp_path.iterdir())
    if damage == "part":
        entry.rename(tmp_path / f"{entry.name}.x.part")
    if damage in ("cut", "empty"):
        data = (entry / "stored.npy").read_bytes()
        (entry / "stored.npy").write_bytes(data[: len(data) // 2 if damage == "cut" else 0])
    if damage == "no json":
        (entry / "skipped.json").unlink()
    if damage == "bad json":
        (entry / "skipped.json").write_text("[[")
    assert torch.equal(prepare_dataset(items(), CODEC, tmp_path, quiet=True).columns["x"], wanted())


def test_abandoned_parts_are_cleared_and_fresh_ones_left(tmp_path, monkeypatch):
    (tmp_path / "a.part").mkdir()
    prepare_dataset(items(), CODEC, tmp_path, quiet=True)
    assert (tmp_path / "a.part").exists()
    later = time.time() + 2 * cache.STALE_SECONDS
    monkeypatch.setattr(time, "time", lambda: later)
    prepare_dataset(items(100), CODEC, tmp_path, quiet=True)
    assert not (tmp_path / "a.part").exists()


def test_where_another_process_has_been_faster_its_entry_is_used(tmp_path):
    whole = items()

    def race(i):
        if i == 150:
            prepare_dataset(items(), CODEC, tmp_path, quiet=True)
        return whole[i]

    assert torch.equal(prepare_dataset(replace(whole, read_item=race), CODEC, tmp_path, quiet=True).columns["x"], wanted())
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_falls_back_to_memory_up_to_a_bound(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "_write_array_header", full)
    assert torch.equal(prepare_dataset(items(), CODEC, tmp_path).columns["x"], wanted())
    assert "cannot be written (No space left on device): keeping the data in memory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(dataset, "MAX_UNCACHED_BYTES", 1000)
    with pytest.raises(GanvasError, match=r"No space left on device.*too much for memory: set GANVAS_CACHE"):
        prepare_dataset(items(), CODEC, tmp_path, quiet=True)


def test_a_cache_that_cannot_be_made_falls_back_to_memory(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert torch.equal(prepare_dataset(items(), CODEC, tmp_path / "file").columns["x"], wanted())
    assert "keeping the data in memory" in capsys.readouterr().err


def test_the_cache_lies_where_it_is_told(monkeypatch, tmp_path):
    monkeypatch.delenv("GANVAS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_cache_folder() == tmp_path / ".cache" / "ganvas"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert str(find_cache_folder()) == "/xdg/ganvas"
    monkeypatch.setenv("GANVAS_CACHE", "/mine")
    assert str(find_cache_folder()) == "/mine"


# ---------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.usefixtures("threads")
def test_the_unreadable_are_named_left_out_and_counted(tmp_path, capsys, cached):
    broken = (0, 63, 64, 65, 130, 131, 199)
    for _ in range(2):
        found = prepare_dataset(items(broken=broken), CODEC, tmp_path if cached else None)
        assert found.skipped_count == 7
        assert torch.equal(found.columns["x"], wanted(broken=broken))
        assert "label" in found.columns
        assert found.columns["label"].tolist() == [i % 3 for i in range(200) if i not in broken]
        said = capsys.readouterr().err
        assert "ganvas: 7 of a test left out:\n  x[0] is no image that can be read" in said
        assert "x[130]" in said
        assert "x[131]" not in said
        assert "and 2 more" in said


@pytest.mark.usefixtures("threads")
def test_whole_chunks_may_be_unreadable(tmp_path):
    broken = tuple(range(64))
    found = prepare_dataset(items(2000, broken), CODEC, tmp_path, quiet=True)
    assert torch.equal(found.columns["x"], wanted(2000, broken))


@pytest.mark.usefixtures("threads")
def test_more_than_one_in_twenty_is_too_much(tmp_path):
    assert prepare_dataset(items(broken=tuple(range(10))), CODEC, tmp_path, quiet=True).skipped_count == 10
    with pytest.raises(GanvasError, match=r"more than 5% of a test cannot be read: x\[0\] is no image.*; x\[1\].*; x\[2\]"):
        prepare_dataset(replace(items(broken=tuple(range(11))), fingerprint="g"), CODEC, tmp_path, quiet=True)


def test_a_file_that_vanishes_is_left_out(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(40)]
    for path, pixels in zip(paths, pictures(40), strict=True):
        ImageCodec(size=16, channels=1).write(torch.from_numpy(pixels[None, ..., None]), tmp_path, int(path.stem), {})
    found = Files(path=str(tmp_path)).items((".png",))
    (tmp_path / "000007.png").unlink()
    assert prepare_dataset(found, CODEC, None, quiet=True).skipped_count == 1


def test_quiet_says_nothing(tmp_path, capfd):
    prepare_dataset(items(broken=(3,)), CODEC, tmp_path, quiet=True)
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------- arrays


def test_arrays_in_stored_form_are_taken_at_once(tmp_path):
    np.save(tmp_path / "a.npy", pictures(30, 8))
    found = prepare_dataset(Files(path=str(tmp_path / "a.npy")).items(()), CODEC, tmp_path / "cache", quiet=True)
    assert torch.equal(found.columns["x"], torch.from_numpy(pictures(30, 8))[..., None])
    assert not (tmp_path / "cache").exists()


def test_arrays_that_may_not_be_written_are_copied():
    values = pictures(30, 8)
    values.flags.writeable = False
    found = prepare_dataset(build_array_items(values, None, "x", "f", "x"), CODEC, None, quiet=True)
    assert torch.equal(found.columns["x"][..., 0], torch.from_numpy(pictures(30, 8)))


def test_points_with_some_that_are_not_finite():
    values = np.zeros((100, 2))
    values[7] = np.nan
    found = prepare_dataset(build_array_items(values, None, "x", "f", "x"), PointsCodec(dim=2), None, quiet=True)
    assert (len(found), found.skipped_count) == (99, 1)


def test_a_hundred_thousand_points_take_no_time():
    start = time.perf_counter()
    drawn = Mixture().items(())
    found = prepare_dataset(drawn, Points().fit(drawn), None, quiet=True)
    assert found.columns["x"].shape == (100_000, 2)
    assert time.perf_counter() - start < 1.0


def test_the_record_of_an_entry_is_json(tmp_path):
    prepare_dataset(items(broken=(3,)), CODEC, tmp_path, quiet=True)
    record = json.loads((next(tmp_path.iterdir()) / "skipped.json").read_text())
    assert record == [[3, "x[3]", "is no image that can be read (PNG, JPEG, WebP, BMP, GIF or TIFF)"]]
    assert np.load(next(tmp_path.iterdir()) / "stored.npy").shape == (199, 8, 8, 1)
