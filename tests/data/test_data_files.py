"""Sources of files: every layout that is read, its labels, and each bad input with what is said about it."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.core import Source
from ganvas.data import Files, prepare_dataset
from ganvas.data.formats import archive
from ganvas.data.items import ItemList, match_labels
from ganvas.errors import GanvasError
from ganvas.media import ImageCodec
from small_recipes import class_condition

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


def items(path, suffixes=SUFFIXES, **settings) -> ItemList:
    return Files(path=str(path), **settings).items(suffixes)


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
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 100_000)
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


# ---------------------------------------------------------------- entries that cannot be read


def test_a_link_in_a_circle_and_one_to_nothing_are_left_out_and_named(tmp_path):
    place = put(tmp_path / "k", *(f"{i}.png" for i in range(5)))
    (place / "self.png").symlink_to("self.png")
    (place / "gone.png").symlink_to("nowhere.png")
    (place / "deep").mkdir()
    (place / "deep" / "self").symlink_to("self")
    os.mkfifo(place / "pipe.png")
    found = items(place)
    assert found.names == [f"{i}.png" for i in range(5)]
    assert found.notes == (
        "4 entries left out: deep/self (Too many levels of symbolic links), gone.png (a link to nothing), pipe.png (no file), "
        "…",
    )


def test_a_folder_of_broken_links_says_so(tmp_path):
    (tmp_path / "1.png").symlink_to("nowhere.png")
    with pytest.raises(GanvasError, match=r"has nothing that can be read \(1 entry left out: 1.png .*: put"):
        items(tmp_path)


def test_a_folder_that_may_not_be_entered_is_left_out_and_named(tmp_path, monkeypatch):
    place = put(tmp_path / "k", "a.png", "b.png", "closed/c.png")
    real = os.scandir

    def scan(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scan)
    found = items(place)
    assert (found.names, found.notes) == (["a.png", "b.png"], ("1 entry left out: closed (Permission denied)",))


def test_a_file_that_may_not_be_opened_is_left_out_where_it_is_read(tmp_path, monkeypatch, capsys):
    place, real = put(tmp_path / "k", *(f"{i:02d}.png" for i in range(30))), Path.open

    def open_file(self, *arguments, **settings):
        if self.name == "00.png":
            raise PermissionError(13, "Permission denied", os.fspath(self))
        return real(self, *arguments, **settings)

    monkeypatch.setattr(Path, "open", open_file)
    data = prepare_dataset(items(place), ImageCodec(size=8, channels=1), None)
    assert (len(data), data.skipped_count) == (29, 1)
    assert "00.png cannot be read (Permission denied)" in capsys.readouterr().err


# ---------------------------------------------------------------- files passed over


def test_files_of_other_kinds_are_named_by_their_numbers(tmp_path):
    place = put(tmp_path / "photos", "a.png", "b.png", "c.gif", "d.gif", "deep/e.HEIC", "f.ppm")
    found = items(place)
    assert found.names == ["a.png", "b.png"]
    assert found.notes == ("4 files passed over: 2 .gif, 1 .heic, 1 .ppm; samples are .png .jpg",)
    put(place, "g.xcf", "h.psd", "i.svg", "captions.csv", "README.md", "LICENSE", "Thumbs.db")
    assert items(place).notes == (
        "8 files passed over: 2 .gif, 1 .csv, 1 .heic, 1 .ppm, 3 of other kinds; samples are .png .jpg; labels are read from "
        "labels.csv, dataset.json, metadata.csv, metadata.jsonl",
    )


@pytest.mark.parametrize("name", ["labels.csv", "README.txt"])
def test_what_comes_with_any_folder_is_not_named(tmp_path, name):
    place = put(tmp_path / "photos", "a.png", "b.png")
    (place / name).write_text("a.png,1\nb.png,2")
    assert items(place).notes == ()


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_files_without_a_suffix_are_known_by_their_first_bytes(tmp_path, kind):
    names = ["a", "b.0001", "c.jpg?size=200", "d.png", "e.dat"]
    place = put(tmp_path / "photos", *names) if kind == "folder" else zipped(tmp_path / "photos.zip", *names)
    found = items(place)
    assert found.names == names[:4]
    assert [found[i] for i in range(4)] == [png(i) for i in range(4)]
    assert found.notes == ("1 file passed over: 1 .dat; samples are .png .jpg",)
    with pytest.raises(GanvasError, match=r"looked for \.jpg, found"):
        items(place, suffixes=(".jpg",))


# ---------------------------------------------------------------- arrays


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
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
        return folder / name.split("/")[0]

    return make


def files(*names):
    return lambda folder: put(folder / "photos", *names)


def mixed(folder):
    place = put(folder / "photos", "a.tif", "b.tif")
    (place / "c").write_text("no picture")
    return place


def empty(folder):
    (folder / "photos").mkdir()
    return folder / "photos"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: put(folder, "photos/1.png") / "phots", r"phots does not exist: did you mean .*photos\?"),
        (lambda folder: folder / "no" / "where", r"/no does not exist: give the path of"),
        (empty, "is empty: put files into it"),
        (mixed, r"looked for .png .jpg, found 2 .tif, 1 without a suffix: convert"),
        (text("photos/c", "no picture"), "found 1 without a suffix: they do not begin like any of these; rename them"),
        (text("photos/set.npz", ""), "found 1 .npz: give .*photos/set.npz itself"),
        (lambda folder: zipped(folder / "a.zip", "in/set.npz"), "found 1 .npz: unpack it and give in/set.npz"),
        (files("a.png"), r"photos/ \(1 file\) is not a data set: at least 2 samples"),
        (lambda folder: put(folder, "a.png") / "a.png", r"a.png is 1 file, and 1 is not a data set: give its folder"),
        (text("a.txt", "hello"), "a.txt holds no samples that can be read: give a folder"),
        (text("a.zip", "hello"), "is not a zip archive, or an incomplete one"),
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
        (of("a.npz", x=pictures(3), y=np.full(3, 0.5)), "labels of shape .* type float64"),
        (of("a.npz", x=pictures(3), y=np.array([0.0, np.nan, 1.0])), "labels of shape .* type float64"),
        (text("a.csv", ""), "holds no rows of numbers"),
        (text("a.csv", "x,y\n"), "holds no rows of numbers"),
        (text("a.csv", "x,y\n1,2\n3,b\n"), "a.csv cannot be read .could not convert string 'b'"),
        (text("a.csv", "x,y\n1,2\n3\n"), "a.csv cannot be read"),
        (text("a.csv", "x,y\n1,2\n"), "is not a data set: at least 2"),
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
    with pytest.raises(GanvasError, match=r"photos cannot be read \(Permission denied\): check its permissions"):
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
    with pytest.raises(GanvasError, match=r"^limit must be 2 or more, got 1$"):
        items(place, limit=1)


def test_a_test_path_is_held_out_with_the_training_labels(tmp_path):
    train = put(tmp_path / "train", "a/1.png", "b/1.png", "c/1.png")
    test = put(tmp_path / "test", "b/1.png", "c/1.png")
    found = Files(path=str(train), test=str(test)).held_out(SUFFIXES)
    assert found is not None
    assert found.classes == ("a", "b", "c")
    assert found.labels is not None
    assert found.labels.tolist() == [1, 2]
    with pytest.raises(GanvasError, match="class 'b', which the training data lacks"):
        match_labels(found, class_condition(2, ("a", "c")))


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
