"""Sources of files: every layout that is read, its labels, and each bad input with what is said about it."""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.core import Source
from ganvas.data import Files, archive, fashion
from ganvas.data.items import Listed, relabelled
from ganvas.errors import GanvasError

SUFFIXES = (".png", ".jpg")


def png(level: int) -> bytes:
    data = io.BytesIO()
    Pillow.new("L", (8, 8), level).save(data, "PNG")
    return data.getvalue()


def put(folder: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(i))
    return folder


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for i, name in enumerate(names):
            file.writestr(name, png(i))
    return path


def items(path, suffixes=SUFFIXES, **settings) -> Listed:
    return Files(path=str(path), **settings).items(suffixes)


def idx(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    data = head + values.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, 8, 8), dtype=np.uint8)


# ---------------------------------------------------------------- folders and archives


def test_a_folder_is_read_in_order_below_and_without_what_is_hidden(tmp_path):
    place = put(tmp_path / "photos", "b.png", "a.PNG", "deep/er/c.jpg", ".hidden.png", ".git/d.png", "__MACOSX/e.png")
    (place / "notes.txt").write_text("")
    found = items(place)
    assert isinstance(Files(path="x"), Source)
    assert found.names == ["a.PNG", "b.png", "deep/er/c.jpg"]
    assert [found[i] for i in range(3)] == [png(1), png(0), png(2)]
    assert found.labels is None
    assert found.classes == ()
    assert found.title == "photos/ (3 files)"
    assert Files(path=str(place)).held_out(SUFFIXES) is None


@pytest.mark.parametrize("top", ["", "all/of/it/"])
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_folders_side_by_side_are_labels(tmp_path, kind, top):
    names = [f"{top}{n}" for n in ("dog/1.png", "cat/1.png", "cat/old/2.png")]
    found = items(put(tmp_path / "pets", *names) if kind == "folder" else zipped(tmp_path / "pets.zip", *names))
    assert found.classes == ("cat", "dog")
    assert found.labels is not None
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize("names", [("dog/1.png", "cat/1.png", "loose.png"), ("cat/1.png", "cat/2.png")])
def test_a_loose_file_or_a_single_folder_means_no_labels(tmp_path, names):
    assert items(put(tmp_path / "pets", *names)).labels is None
    assert items(zipped(tmp_path / "pets.zip", *names)).labels is None


def test_a_loop_of_links_ends(tmp_path):
    place = put(tmp_path / "photos", "a/1.png", "b/2.png")
    (place / "a" / "up").symlink_to(place)
    assert items(place).names == ["a/1.png", "b/2.png"]


def test_a_linked_folder_is_followed(tmp_path):
    put(tmp_path / "elsewhere", "1.png", "2.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "here").symlink_to(tmp_path / "elsewhere")
    assert items(tmp_path / "photos").names == ["here/1.png", "here/2.png"]


def test_hostile_names_in_a_zip_are_only_names(tmp_path):
    found = items(zipped(tmp_path / "a.zip", "../../etc/1.png", "/root/2.png", "3.png"))
    assert found.names == ["../../etc/1.png", "/root/2.png", "3.png"]
    assert found[0] == png(0)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_a_zip_bomb_is_refused_where_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST", 100_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.png", b"\0" * 1_000_000)
        file.writestr("2.png", png(0))
    found = items(tmp_path / "a.zip")
    assert found[1] == png(0)
    with pytest.raises(GanvasError, match=r"is 1 MB unpacked, more than 0 MB: refused"):
        found[0]


def test_damage_inside_a_zip_is_a_reason_and_no_crash(tmp_path):
    path = zipped(tmp_path / "a.zip", "1.png", "2.png")
    data = bytearray(path.read_bytes())
    data[50] ^= 255
    path.write_bytes(data)
    with pytest.raises(GanvasError, match="cannot be unpacked"):
        items(path)[0]


def test_an_encrypted_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", "1.png", "2.png")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(GanvasError, match="is encrypted: unpack it"):
        items(path)


# ---------------------------------------------------------------- idx and arrays


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


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\x08\x03" + struct.pack(">III", 2, 8, 8) + bytes(100), "is cut short: 100 of 128 bytes"),
        (b"\0\0\x08\x03\0\0", "is cut short or damaged"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "is cut short or damaged"),
        (b"\0\0\x0d\x01" + struct.pack(">I", 2) + bytes(8), "no idx file of bytes"),
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


def test_npy_is_mapped(tmp_path):
    np.save(tmp_path / "a.npy", pictures(5))
    found = items(tmp_path / "a.npy")
    assert isinstance(found.array, np.memmap)
    assert (found[2] == pictures(5)[2]).all()
    assert found.title == "a.npy (5 of 8 x 8)"


@pytest.mark.parametrize(("samples", "labels"), [("x", "y"), ("images", "labels"), ("data", "y"), ("arr_0", "labels")])
def test_npz_has_samples_and_labels(tmp_path, samples, labels):
    np.savez(tmp_path / "a.npz", **{samples: pictures(3), labels: np.array(["no", "yes", "no"])})
    found = items(tmp_path / "a.npz")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 0]
    assert found.classes == ("no", "yes")


@pytest.mark.parametrize("header", ["", "x,y\n", "\ufeffx,y\n"])
def test_csv_may_have_a_header(tmp_path, header):
    (tmp_path / "a.csv").write_text(header + "1,2\n3,-4e-1\n", encoding="utf-8")
    found = items(tmp_path / "a.csv")
    assert found.array is not None
    assert found.array.tolist() == [[1, 2], [3, -0.4]]


def object_array(folder):
    np.save(folder / "a.npy", np.array([{}, {}]), allow_pickle=True)
    return folder / "a.npy"


def object_in_npz(folder):
    np.savez(folder / "a.npz", x=np.array([{}, {}]))
    return folder / "a.npz"


def cut_npy(folder):
    np.save(folder / "a.npy", pictures(5))
    (folder / "a.npy").write_bytes((folder / "a.npy").read_bytes()[:200])
    return folder / "a.npy"


def of(name, **arrays):
    def make(folder):
        np.savez(folder / name, **arrays)
        return folder / name

    return make


def text(name, content):
    def make(folder):
        (folder / name).write_text(content)
        return folder / name

    return make


def files(*names):
    return lambda folder: put(folder / "photos", *names)


def empty(folder):
    (folder / "photos").mkdir()
    return folder / "photos"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: put(folder, "photos/1.png") / "phots", r"phots does not exist: did you mean .*photos\?"),
        (lambda folder: folder / "no" / "where", r"/no does not exist: give the path of"),
        (empty, "is empty: put files into it"),
        (files("a.tif", "b.tif", "c"), r"looked for .png .jpg, found 2 .tif, 1 without a suffix: convert"),
        (files("a.png"), r"photos/ \(1 file\) is no data set: at least 2 samples"),
        (lambda folder: put(folder, "a.png") / "a.png", r"a.png is 1 file, and 1 is not a data set: give its folder"),
        (text("a.txt", "hello"), "a.txt is nothing to learn from: give a folder"),
        (text("a.zip", "hello"), "is no zip archive, or an incomplete one"),
        (lambda folder: zipped(folder / "a.zip"), "a.zip is empty"),
        (lambda folder: zipped(folder / "a.zip", "1.tif"), "looked for .png .jpg, found 1 .tif"),
        (object_array, "it holds Python objects"),
        (object_in_npz, "it holds Python objects"),
        (cut_npy, "a.npy cannot be read"),
        (text("a.npy", "hello"), "a.npy cannot be read"),
        (text("a.npz", "hello"), "a.npz cannot be read"),
        (of("a.npz", w=np.zeros(3)), "has no array named x, images, data, arr_0; it has w: rename"),
        (of("a.npz", x=np.zeros(3)), r"array of shape \(3,\): samples are its rows"),
        (of("a.npz", x=pictures(3), y=np.zeros(2)), r"3 samples and labels of shape \(2,\)"),
        (of("a.npz", x=pictures(3), y=np.zeros(3)), "labels of shape .* type float64"),
        (text("a.csv", ""), "holds no rows of numbers"),
        (text("a.csv", "x,y\n"), "holds no rows of numbers"),
        (text("a.csv", "x,y\n1,2\n3,b\n"), "a.csv cannot be read .could not convert string 'b'"),
        (text("a.csv", "x,y\n1,2\n3\n"), "a.csv cannot be read"),
        (text("a.csv", "x,y\n1,2\n"), "is no data set: at least 2"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(tmp_path, make, message):
    with pytest.raises(GanvasError, match=message) as caught:
        items(make(tmp_path))
    assert len(str(caught.value).splitlines()) <= 2


def test_a_folder_where_rows_are_wanted_is_refused(tmp_path):
    with pytest.raises(GanvasError, match=r"these samples are rows: give one \.csv"):
        items(put(tmp_path / "photos", "a.png", "b.png"), suffixes=())


def test_what_may_not_be_read_is_said(tmp_path, monkeypatch):
    place = put(tmp_path / "photos", "a.png", "b.png")

    def refuse(path):
        raise PermissionError(13, "Permission denied", os.fspath(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(GanvasError, match=r"photos cannot be read \(Permission denied\): check who may read it"):
        items(place)


# ---------------------------------------------------------------- settings


def test_a_limit_draws_the_same_few_each_time(tmp_path):
    place = put(tmp_path / "pets", *(f"{c}/{i}.png" for c in "abc" for i in range(10)))
    found = items(place, limit=6)
    assert found.labels is not None
    assert found.names == items(place, limit=6).names == sorted(set(found.names))
    assert [found.classes[k] for k in found.labels] == [name[0] for name in found.names]
    assert found[5] == (place / found.names[5]).read_bytes()
    assert found.title == "pets/ (30 files), 6 of them"
    assert found.fingerprint != items(place).fingerprint
    assert len(items(place, limit=99)) == 30
    with pytest.raises(GanvasError, match="limit must be at least 2, got 1"):
        items(place, limit=1)


def test_a_test_path_is_held_out_with_the_training_labels(tmp_path):
    train = put(tmp_path / "train", "a/1.png", "b/1.png", "c/1.png")
    test = put(tmp_path / "test", "b/1.png", "c/1.png")
    found = Files(path=str(train), test=str(test)).held_out(SUFFIXES)
    assert found is not None
    assert found.classes == ("a", "b", "c")
    assert found.labels is not None
    assert found.labels.tolist() == [1, 2]
    with pytest.raises(GanvasError, match="class 'b', which the training data has not"):
        relabelled(found, ("a", "c"))


@pytest.mark.parametrize("kind", ["folder", "zip", "npy"])
def test_fingerprints_change_when_a_file_does_and_only_then(tmp_path, kind):
    def make(levels):
        if kind == "folder":
            for i, level in enumerate(levels):
                (put(tmp_path / "a") / f"{i}.png").parent.mkdir(exist_ok=True)
                (tmp_path / "a" / f"{i}.png").write_bytes(png(level))
                os.utime(tmp_path / "a" / f"{i}.png", (0, 0))
            return tmp_path / "a"
        if kind == "zip":
            with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
                for i, level in enumerate(levels):
                    file.writestr(f"{i}.png", png(level))
            return tmp_path / "a.zip"
        np.save(tmp_path / "a.npy", np.array(levels)[:, None])
        os.utime(tmp_path / "a.npy", (0, 0))
        return tmp_path / "a.npy"

    first = items(make([1, 2, 3])).fingerprint
    assert items(make([1, 2, 3])).fingerprint == first
    assert items(make([1, 2, 4])).fingerprint != first  # of the same names, sizes and times
    assert items(make([1, 2, 3, 4])).fingerprint != first


def test_a_time_alone_changes_a_folders_fingerprint(tmp_path):
    place = put(tmp_path / "a", "1.png", "2.png")
    before = items(place).fingerprint
    os.utime(place / "1.png", (1, 1))
    assert items(place).fingerprint != before


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
    monkeypatch.delenv(fashion.VARIABLE, raising=False)
    monkeypatch.setattr(fashion, "DEBIAN", tmp_path / "none")
    assert items("fashion").title == "Fashion-MNIST, embedded subset of 10,000"
    for part, count in (("train", 30), ("t10k", 20)):
        idx(tmp_path / f"{part}-images-idx3-ubyte.gz", pictures(count))
        idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))
    monkeypatch.setattr(fashion, "DEBIAN", tmp_path)
    assert items("fashion").title == "Fashion-MNIST, 30 training images (Debian's dataset-fashion-mnist)"
    assert items("fashion").classes == fashion.CLASSES
    held_out = Files(path="fashion").held_out(())
    assert held_out is not None
    assert held_out.title == "Fashion-MNIST, 20 test images (Debian's dataset-fashion-mnist)"
    assert items("fashion-embedded").title == "Fashion-MNIST, embedded subset of 10,000"
    monkeypatch.setattr(fashion, "DEBIAN", tmp_path / "none")
    monkeypatch.setenv(fashion.VARIABLE, str(tmp_path))
    assert items("fashion").title == "Fashion-MNIST, 30 training images ($GANVAS_FASHION)"
    monkeypatch.setenv(fashion.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(GanvasError, match=r"GANVAS_FASHION is .*none, which has no train-images"):
        items("fashion")


def test_the_licence_of_fashion_comes_along():
    text = Path(fashion.__file__).with_name("FASHION_MNIST_LICENSE.txt").read_text()
    assert "Copyright (c) 2017 Zalando SE, https://tech.zalando.com" in text
    assert "WITHOUT WARRANTY OF ANY KIND" in text
