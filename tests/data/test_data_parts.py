"""Sets that lie in parts: train is learned from, test is held out, and neither is a class."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.data import Files
from ganvas.data.items import ItemList
from ganvas.data.parts import place_files
from ganvas.errors import GanvasError


def place(folder: Path, *names: str, kind: str = "folder") -> Files:
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("L", (8, 8), i).save(folder / name)
    if kind == "zip":
        with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as file:
            for name in names:
                file.write(folder / name, name)
        return Files(path=str(folder.with_suffix(".zip")))
    return Files(path=str(folder))


def read(source: Files) -> tuple[ItemList, ItemList | None]:
    return source.items((".png",)), source.held_out((".png",))


def words(items: ItemList) -> list[str] | None:
    return None if items.labels is None else [items.classes[k] for k in items.labels]


PETS = [f"{part}/{c}/{i}.png" for part, n in (("train", 3), ("test", 2)) for c in ("cat", "dog") for i in range(n)]


@pytest.mark.parametrize("top", ["", "all/of/it/"])
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_the_test_part_is_held_out_and_classes_are_the_folders_below(tmp_path, kind, top):
    train, test = read(place(tmp_path / "pets", *(top + name for name in PETS), kind=kind))
    assert train.names == sorted(f"{top}{name}" for name in PETS if name.startswith("train"))
    assert words(train) == ["cat"] * 3 + ["dog"] * 3
    assert train.notes == ("it lies in parts: 6 files of train to learn from, 4 of test to score against",)
    assert train.title == ("pets/train/ (6 files)" if kind == "folder" else "pets.zip/train/ (6 files)")
    assert test is not None
    assert test.names == sorted(f"{top}{name}" for name in PETS if name.startswith("test"))
    assert words(test) == ["cat"] * 2 + ["dog"] * 2
    assert train.fingerprint != test.fingerprint
    assert train[0] != test[0]


@pytest.mark.parametrize("name", ["val", "Validation", "valid", "dev", "testing"])
@pytest.mark.parametrize("train_name", ["train", "Training"])
def test_parts_go_by_many_names(tmp_path, train_name, name):
    train, test = read(place(tmp_path / "a", f"{train_name}/1.png", f"{train_name}/2.png", f"{name}/3.png", f"{name}/4.png"))
    assert (train.names, train.labels) == ([f"{train_name}/1.png", f"{train_name}/2.png"], None)
    assert test is not None
    assert (test.names, test.labels) == ([f"{name}/3.png", f"{name}/4.png"], None)


def test_test_goes_before_validation_and_what_is_left_out_is_named(tmp_path):
    names = [f"{part}/{i}.png" for part in ("train", "test", "val", "more") for i in range(3)]
    train, test = read(place(tmp_path / "a", *names, "cover.png"))
    assert test is not None
    assert test.names == [f"test/{i}.png" for i in range(3)]
    assert train.notes[1:] == (
        "its part validation (3 files) is not used",
        "4 files in none of its parts left out: cover.png, more/0.png, more/1.png, …",
    )


def test_a_test_part_of_one_file_is_none(tmp_path):
    train, test = read(place(tmp_path / "a", "train/1.png", "train/2.png", "test/3.png"))
    assert (train.names, test) == (["train/1.png", "train/2.png"], None)
    assert train.notes == ("it lies in parts: 2 files of train to learn from", "its part test (1 file) is not used")


def test_parts_may_lie_below_classes_and_domains_are_classes(tmp_path):
    below = [f"{c}/{part}/{i}.png" for c in ("cat", "dog") for part in ("train", "test") for i in range(2)]
    train, test = read(place(tmp_path / "a", *below))
    assert words(train) == ["cat", "cat", "dog", "dog"]
    assert train.names == [name for name in below if "train" in name]
    assert test is not None
    assert test.names == [name for name in below if "test" in name]
    domains = [f"{part}{domain}/{i}.png" for part in ("train", "test") for domain in "AB" for i in range(2)]
    train, test = read(place(tmp_path / "b", *domains))
    assert words(train) == ["A", "A", "B", "B"]
    assert test is not None
    assert words(test) == ["A", "A", "B", "B"]


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.png", "bus/2.png"],  # classes of vehicles
        ["valid/1.png", "invalid/2.png"],
        ["cat/1.png", "cat/test/2.png", "dog/train/3.png"],
        ["training data/1.png", "test rig/2.png"],
        ["train.png", "test.png"],
    ],
)
def test_what_only_sounds_like_parts_is_none(names):
    assert place_files(names) is None


def test_parts_without_one_to_train_on_are_no_classes(tmp_path):
    train, test = read(place(tmp_path / "a", "test/1.png", "val/2.png"))
    assert (train.labels, test) == (None, None)
    assert train.label_notes == ("its folders test and val are parts of a set, no classes: all are trained on",)


@pytest.mark.parametrize("at", ["labels.csv", "train/labels.csv"])
def test_a_table_may_stand_beside_the_parts_or_in_them(tmp_path, at):
    source = place(tmp_path / "a", "train/1.png", "train/2.png", "test/1.png", "test/2.png")
    folder = "" if "/" in at else "train/"
    rows = {f"{folder}1.png": "cat", f"{folder}2.png": "dog"} | (
        {} if "/" in at else {"test/1.png": "dog", "test/2.png": "cat"}
    )
    (tmp_path / "a" / at).write_text("\n".join(",".join(row) for row in rows.items()))
    train, test = read(source)
    assert words(train) == ["cat", "dog"]
    assert len(train.notes) == 1
    assert test is not None
    assert words(test) == (None if "/" in at else ["dog", "cat"])


def test_a_test_path_in_parts_gives_its_test_part(tmp_path):
    source = place(tmp_path / "a", *PETS)
    held_out = Files(path=str(tmp_path / "a" / "train"), test=source.path).held_out((".png",))
    assert held_out is not None
    assert held_out.names == [name for name in PETS if name.startswith("test")]


# ---------------------------------------------------------------- parts of an .npz


def pixels(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, 8, 8), dtype=np.uint8)


@pytest.mark.parametrize("form", ["x_{}", "X_{}", "{}_images"])
def test_an_npz_in_parts(tmp_path, form):
    label = "{}_labels" if "images" in form else "y_{}"
    arrays = {}
    for part, n in (("train", 6), ("test", 4), ("val", 2)):
        arrays |= {form.format(part): pixels(n), label.format(part): np.arange(n) % 2}
    np.savez(tmp_path / "a.npz", **arrays)
    train, test = Files(path=str(tmp_path / "a.npz")).items(()), Files(path=str(tmp_path / "a.npz")).held_out(())
    assert test is not None
    assert (train.array == pixels(6)).all()
    assert (test.array == pixels(4)).all()
    assert words(train) == ["0", "1"] * 3
    assert words(test) == ["0", "1"] * 2
    assert train.fingerprint != test.fingerprint
    assert (train.title, test.title) == ("a.npz/train (6 of 8 x 8)", "a.npz/test (4 of 8 x 8)")
    assert train.label_notes == (f"its arrays {form.format('val')}, {label.format('val')} are not used",)


def test_an_npz_without_a_part_to_train_on_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x_test=pixels(4))
    with pytest.raises(GanvasError, match="has no array named x, images, data, arr_0; it has x_test: rename"):
        Files(path=str(tmp_path / "a.npz")).items(())
