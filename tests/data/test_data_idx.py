"""MNIST's idx files and Fashion-MNIST, which comes in them or embedded: labels, test parts, faults."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from ganvas.data import Files, fashion
from ganvas.data.items import ItemList
from ganvas.errors import GanvasError

SUFFIXES = (".png", ".jpg")


def items(path, suffixes=SUFFIXES, **settings) -> ItemList:
    return Files(path=str(path), **settings).items(suffixes)


def idx(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    data = head + values.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, 8, 8), dtype=np.uint8)


# ---------------------------------------------------------------- idx


@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx_images_find_their_labels(tmp_path, end):
    images = pictures(6)
    path = idx(tmp_path / f"train-images-idx3-ubyte{end}", images)
    assert items(path).labels is None
    idx(tmp_path / f"train-labels-idx1-ubyte{end}", np.array([3, 3, 7, 7, 9, 3], np.uint8))
    found = items(path)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 0]
    assert found.classes == ("3", "7", "9")
    assert found.array is not None
    assert (found.array == images).all()
    assert (found[4] == images[4]).all()


def test_a_folder_of_mnists_four_files_has_its_test_part(tmp_path):
    for part, count in (("train", 20), ("t10k", 8)):
        idx(tmp_path / f"{part}-images-idx3-ubyte.gz", pictures(count))
        idx(tmp_path / f"{part}-labels-idx1-ubyte", (np.arange(count) % 4).astype(np.uint8))
    source = Files(path=str(tmp_path), limit=10)
    held_out = source.held_out(SUFFIXES)
    assert len(source.items(SUFFIXES)) == 10
    assert held_out is not None
    assert len(held_out) == 8
    assert (held_out[3] == pictures(8)[3]).all()


def test_mnist_is_found_where_torchvision_puts_it(tmp_path):
    for part, count in (("train", 20), ("t10k", 8)):
        idx(tmp_path / "MNIST" / "raw" / f"{part}-images-idx3-ubyte", pictures(count))
        idx(tmp_path / "MNIST" / "raw" / f"{part}-labels-idx1-ubyte", (np.arange(count) % 4).astype(np.uint8))
    for path in (tmp_path, tmp_path / "MNIST"):
        found, held_out = items(path), Files(path=str(path)).held_out(SUFFIXES)
        assert (len(found), len(held_out or ())) == (20, 8)
        assert found.notes == (f"read from {tmp_path / 'MNIST' / 'raw'}",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\x08\x03" + struct.pack(">III", 2, 8, 8) + bytes(100), "is cut short: 100 of 128 bytes"),
        (b"\0\0\x08\x03\0\0", "is cut short or damaged"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "is cut short or damaged"),
        (b"\0\0\x0d\x01" + struct.pack(">I", 2) + bytes(8), "is not an idx file of bytes"),
        (b"\0\0\x08\x01" + struct.pack(">I", 2) + bytes(2), "holds labels, not images"),
    ],
)
def test_broken_idx_files_are_refused(tmp_path, data, message):
    (tmp_path / "a-idx").write_bytes(data)
    with pytest.raises(GanvasError, match=message):
        items(tmp_path / "a-idx")


def test_a_cut_gz_is_refused(tmp_path):
    path = idx(tmp_path / "train-images-idx3-ubyte.gz", pictures(50))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(GanvasError, match="fetch it again"):
        items(path)


# ---------------------------------------------------------------- Fashion-MNIST


def test_a_tenth_of_ten_classes_that_take_turns_has_all_of_them():
    found = items("fashion-embedded", limit=1000)
    assert found.labels is not None
    assert np.bincount(found.labels).min() > 60
    assert found.array is not None
    assert (found.array[7] == found[7]).all()


def test_the_embedded_fashion_is_balanced_and_whole():
    found = items("fashion-embedded")
    assert found.title == "Fashion-MNIST, embedded subset of 10,000"
    assert found.array is not None
    assert found.array.shape == (10_000, 28, 28)
    assert found.array.dtype == np.uint8
    assert found.labels is not None
    assert np.bincount(found.labels).tolist() == [1000] * 10
    assert found.classes[0] == "T-shirt"
    assert found.array.mean() == pytest.approx(72.94, abs=1.0)  # the mean of all 60,000; one image's varies by 32
    assert len(np.unique(found.array.reshape(10_000, -1), axis=0)) > 9_990
    assert Files(path="fashion-embedded").held_out(()) is None


def test_fashion_takes_what_is_named_then_what_is_installed_then_what_is_embedded(tmp_path, monkeypatch):
    monkeypatch.delenv(fashion.FASHION_VARIABLE, raising=False)
    monkeypatch.setattr(fashion, "DEBIAN_FOLDER", tmp_path / "none")
    assert items("fashion").title == "Fashion-MNIST, embedded subset of 10,000"
    for part, count in (("train", 30), ("t10k", 20)):
        idx(tmp_path / f"{part}-images-idx3-ubyte.gz", pictures(count))
        idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))
    monkeypatch.setattr(fashion, "DEBIAN_FOLDER", tmp_path)
    assert items("fashion").title == "Fashion-MNIST, 30 training images (Debian's dataset-fashion-mnist)"
    assert items("fashion").classes == fashion.CLASS_NAMES
    held_out = Files(path="fashion").held_out(())
    assert held_out is not None
    assert held_out.title == "Fashion-MNIST, 20 test images (Debian's dataset-fashion-mnist)"
    assert items("fashion-embedded").title == "Fashion-MNIST, embedded subset of 10,000"
    monkeypatch.setattr(fashion, "DEBIAN_FOLDER", tmp_path / "none")
    monkeypatch.setenv(fashion.FASHION_VARIABLE, str(tmp_path))
    assert items("fashion").title == "Fashion-MNIST, 30 training images ($GANVAS_FASHION)"
    monkeypatch.setenv(fashion.FASHION_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(GanvasError, match=r"GANVAS_FASHION is .*none, which has no train-images"):
        items("fashion")


def test_the_licence_of_fashion_comes_along():
    text = Path(fashion.__file__).with_name("FASHION_MNIST_LICENSE.txt").read_text()
    assert "Copyright (c) 2017 Zalando SE, https://tech.zalando.com" in text
    assert "WITHOUT WARRANTY OF ANY KIND" in text
