"""CIFAR's files in every version they come in, and pickles that ask for more than to be read."""

import io
import os
import pickle
import random
import struct
import subprocess
import tarfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data import Files, prepare_dataset
from ganvas.data.conditions import is_same_condition
from ganvas.data.formats import cifar
from ganvas.data.items import ItemList
from ganvas.errors import GanvasError
from ganvas.media import Image
from ganvas.system import pickles
from small_recipes import class_condition

TEN, HUNDRED = ("airplane", "automobile", "bird"), ("apple", "aquarium_fish", "baby", "bear")


class Python2(pickle._Pickler):
    """Writes as Python 2 did: bytes are its strings, and numpy has its old name."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value: bytes) -> None:
        short = len(value) < 256
        self.write((b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value))) + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes


def python2(value: object) -> bytes:
    file = io.BytesIO()
    Python2(file, protocol=2).dump(value)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def pixels(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 3072), dtype=np.uint8)


def batch(n: int, seed: int, key: bytes = b"labels", classes: int = 3) -> dict[bytes, object]:
    labels = [(seed + i) % classes for i in range(n)]
    names = [b"%d.png" % i for i in range(n)]
    more = {b"coarse_labels": [0] * n} if key == b"fine_labels" else {}
    return {b"batch_label": b"a batch", key: labels, b"data": pixels(n, seed), b"filenames": names} | more


def cifar10(folder: Path) -> Path:
    folder.mkdir()
    for k in range(1, 6):
        (folder / f"data_batch_{k}").write_bytes(python2(batch(4, k)))
    (folder / "test_batch").write_bytes(python2(batch(3, 9)))
    meta = {b"num_cases_per_batch": 4, b"label_names": [n.encode() for n in TEN], b"num_vis": 3072}
    (folder / "batches.meta").write_bytes(python2(meta))
    (folder / "readme.html").write_text("about")
    return folder


def cifar100(folder: Path) -> Path:
    folder.mkdir()
    (folder / "train").write_bytes(python2(batch(20, 1, b"fine_labels", 4)))
    (folder / "test").write_bytes(python2(batch(3, 9, b"fine_labels", 4)))
    meta = {b"coarse_label_names": [b"all"], b"fine_label_names": [n.encode() for n in HUNDRED]}
    (folder / "meta").write_bytes(python2(meta))
    (folder / "file.txt~").write_text("")
    return folder


def cifar10_binary(folder: Path) -> Path:
    folder.mkdir()
    for k in [1, 2, 3, 4, 5, 9]:
        n = 3 if k == 9 else 4
        rows = np.hstack([np.array([[(k + i) % 3] for i in range(n)], np.uint8), pixels(n, k)])
        (folder / ("test_batch.bin" if k == 9 else f"data_batch_{k}.bin")).write_bytes(rows.tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(TEN) + "\n\n")
    return folder


def cifar100_binary(folder: Path) -> Path:
    folder.mkdir()
    for name, n, k in (("train", 20, 1), ("test", 3, 9)):
        rows = np.hstack([np.array([[7, (k + i) % 4] for i in range(n)], np.uint8), pixels(n, k)])
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
    (folder / "fine_label_names.txt").write_text("\n".join(HUNDRED) + "\n")
    (folder / "coarse_label_names.txt").write_text("all\n")
    return folder


def packed(folder: Path) -> Path:
    path = folder.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return path


def items(path: Path) -> ItemList:
    return Files(path=str(path)).items((".png",))


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("version", [cifar10, cifar100, cifar10_binary, cifar100_binary])
def test_every_version_is_read(tmp_path, version, pack):
    place = version(tmp_path / "cifar")
    place = packed(place) if pack else place
    found, held_out = items(place), Files(path=str(place)).held_out((".png",))
    ten = "100" not in version.__name__
    seeds = [1, 2, 3, 4, 5] if ten else [1]
    n, classes = (4, TEN) if ten else (20, HUNDRED)
    planes = np.concatenate([pixels(n, k) for k in seeds]).reshape(-1, 3, 32, 32)
    assert (found.array == planes.transpose(0, 2, 3, 1)).all()
    assert found.labels.tolist() == [(k + i) % len(classes) for k in seeds for i in range(n)]
    assert found.labels.dtype == np.int64
    assert is_same_condition(found.condition, class_condition(len(classes), classes))
    assert found.title == f"{place.name} (20 train images)"
    assert (held_out.array[1] == pixels(3, 9).reshape(3, 3, 32, 32)[1].transpose(1, 2, 0)).all()
    assert held_out.labels.tolist() == [(9 + i) % len(classes) for i in range(3)]
    assert held_out.fingerprint != found.fingerprint or pack
    data = prepare_dataset(found, Image().fit(found), None, quiet=True)
    assert data.columns["x"].shape == (20, 32, 32, 3)


@pytest.mark.parametrize("protocol", range(5))
def test_what_python_3_wrote_again_is_read_too(tmp_path, protocol):
    place = cifar10(tmp_path / "cifar")
    words = {"data": pixels(2, 0), "labels": [0, 1], "more": (None, True, False, 1.5, -(2**70), {"a": ()})}
    data = pickle.dumps(words, protocol)
    if protocol < 3:  # in these, Python 3 has bytes made by a call
        with pytest.raises(GanvasError, match=r"'_codecs.encode'"):
            pickles.read_pickle(data, "x")
        return
    (place / "data_batch_3").write_bytes(data)
    assert items(place).labels.tolist()[8:10] == [0, 1]
    found = pickles.read_pickle(data, "x")
    assert found["more"] == words["more"]
    assert (found["data"] == words["data"]).all()


# ---------------------------------------------------------------- what is hostile


class Calls:
    """Asks, when unpickled, for a function to be called."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile(mark: Path) -> list[object]:
    command = f"touch {mark}"
    found = [
        Calls(os.system, command),
        Calls(eval, f"open({str(mark)!r}, 'w')"),
        Calls(exec, f"open({str(mark)!r}, 'w')"),
        Calls(subprocess.call, ["touch", str(mark)]),
        Calls(open, str(mark), "w"),
    ]
    return [*found, *({b"data": pixels(1, 0), b"labels": [0, f]} for f in found), *({"labels": ([f],)} for f in found)]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("which", range(15))
def test_what_asks_for_a_call_is_refused_and_nothing_is_run(tmp_path, protocol, which):
    data = pickle.dumps(hostile(tmp_path / "ran")[which], protocol)
    assert b"ran" in data
    place = cifar10(tmp_path / "cifar")
    for file in ("data_batch_1", "batches.meta"):
        kept = (place / file).read_bytes()
        (place / file).write_bytes(data)
        with pytest.raises(GanvasError, match=r"asks for .*, which no data set needs: refused, and nothing in it was run"):
            items(place)
        (place / file).write_bytes(kept)
    assert not (tmp_path / "ran").exists()


class Persistent(pickle.Pickler):
    def persistent_id(self, value):
        return "id" if isinstance(value, Calls) else None


def test_other_ways_to_ask_are_refused(tmp_path):
    mark = tmp_path / "ran"
    command = f"touch {mark}".encode()
    persistent = io.BytesIO()
    Persistent(persistent, 2).dump([Calls(os.system, "")])
    for data in (
        b"(S'" + command + b"'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nU" + bytes([len(command)]) + command + b"o.",  # OBJ
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",  # STACK_GLOBAL
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x02cos\nsystem\n)\x81.",  # NEWOBJ
        persistent.getvalue(),
    ):
        with pytest.raises(GanvasError, match=r"asks for .*: refused, and nothing in it was run"):
            pickles.read_pickle(data, "x")
    assert not mark.exists()


def test_a_pickle_of_other_code_is_no_crime(tmp_path):
    place = cifar10(tmp_path / "cifar")
    (place / "data_batch_1").write_bytes(b"\x80\x02cpandas.core.frame\nDataFrame\n)\x81.")
    with pytest.raises(GanvasError, match=r"data_batch_1 holds 'pandas.core.frame.DataFrame', which is not known here"):
        items(place)


def nested(depth: int) -> bytes:
    return b"\x80\x02)" + b"\x85" * depth


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x80\x02]q\x00.",  # a list
        b"\x80\x02}q\x00",  # no end
        b"\x80\x02.",  # nothing on the stack
        b"\x80\x02}e.",  # no mark
        b"\x80\x02h\x05.",  # not in the memo
        b"\x80\x02r\xff\xff\xff\xff.",  # a memo of 4 billion places
        b"\x80\x02}" + nested(1_000_000)[2:] + b"K\x01s.",  # a key as deep as would overflow the stack of a program
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.",  # more bytes than there are
        b"\x80\x02}U\x04dataK\x01K\x01\x86R.",  # a number is called
        b"\x80\x02}U\x04dataK\x01b.",  # a mapping is built
        python2({b"data": np.arange(3)}),
        python2({b"data": np.array([b"a", {}], object)}),
        python2({b"data": np.dtype("u1")}),
        b"(S'da\\ea'\nI1\nd.",  # an escape sequence that there is not
        python2({b"data": pixels(2, 0)}).replace(b"M\x00\x0c", b"M\x01\x0c"),  # 2 x 3073 of 2 x 3072 bytes
    ],
)
def test_broken_pickles_are_refused(data):
    with pytest.raises(GanvasError, match=r"x is broken, or not a pickle of a data set|x asks for"):
        pickles.read_pickle(data, "x")


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_damaged_pickles_are_read_or_refused_but_never_crash(seed):
    draw = random.Random(seed)
    data = bytearray(python2(batch(1, 0) | {b"data": pixels(1, 0)[:, :12]}))
    for _ in range(draw.randint(1, 4)):
        data[draw.randrange(len(data))] = draw.randrange(256)
    try:
        pickles.read_pickle(bytes(data[: draw.randint(0, 2 * len(data))]), "x")
    except GanvasError:
        return


# ---------------------------------------------------------------- what does not fit


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data_batch_2", python2({b"labels": [1]}), "holds no square RGB images called 'data'"),
        ("data_batch_2", python2(batch(2, 0) | {b"data": np.zeros((2, 3000), np.uint8)}), "no square RGB images"),
        ("data_batch_2", python2(batch(2, 0) | {b"labels": [1]}), "no whole number for each image"),
        ("data_batch_2", python2(batch(2, 0) | {b"labels": [1, "a"]}), "no whole number for each image"),
        ("data_batch_2", python2(batch(2, 0) | {b"labels": [1, 3]}), "a label 3, but names for 3 classes only"),
        ("data_batch_2.bin", b"short", "is cut short: 5 bytes are not a multiple of 3,073"),
        ("batches.meta", python2({b"label_names": 5}), "has no list of names"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, name, content, message):
    place = cifar10(tmp_path / "cifar")
    (place / name).write_bytes(content)
    with pytest.raises(GanvasError, match=message) as caught:
        items(place)
    assert len(str(caught.value).splitlines()) <= 2


def test_archives_of_something_else_and_broken_ones_are_refused(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "1.png").write_bytes(b"1")
    with pytest.raises(GanvasError, match=r"has no CIFAR training images .*: unpack it and give the folder"):
        items(packed(tmp_path / "other"))
    whole = packed(cifar10(tmp_path / "cifar"))
    cut = tmp_path / "cut.tar.gz"
    for end in (0, 20, 30_000):
        cut.write_bytes(whole.read_bytes()[:end])
        with pytest.raises(GanvasError, match="cannot be unpacked"):
            items(cut)
    monkeypatch.setattr(cifar, "MAX_CIFAR_BYTES", 1000)
    with pytest.raises(GanvasError, match="holds more than 0 MB, which CIFAR does not: refused"):
        items(whole)


def test_a_missing_test_part_is_none(tmp_path):
    place = cifar10(tmp_path / "cifar")
    (place / "test_batch").unlink()
    assert Files(path=str(place)).held_out(()) is None


@pytest.mark.parametrize("make", [cifar10, cifar100, cifar10_binary, cifar100_binary])
def test_it_is_found_in_the_folder_that_holds_it(tmp_path, make):
    place = tmp_path / "sets"
    place.mkdir()
    make(place / "cifar")
    found, held_out = Files(path=str(place)).items((".png",)), Files(path=str(place)).held_out((".png",))
    assert (len(found), len(held_out or ())) == (20, 3)
    assert found.notes == (f"read from {place / 'cifar'}",)
    cifar10(place / "more")
    with pytest.raises(GanvasError, match=r"sets holds several sets: give one of them, .*cifar, .*more"):
        Files(path=str(place)).items((".png",))
