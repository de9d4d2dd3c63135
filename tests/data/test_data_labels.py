"""Labels: from values, from folders, from a table beside the files; what they ask of a sample; and tables that do not fit."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.data import Files, labels, prepare_dataset
from ganvas.data.items import ItemList, build_array_items, match_labels
from ganvas.data.labels import SampleLabels, parse_label_table, parse_label_values
from ganvas.errors import GanvasError
from ganvas.media import ImageCodec
from small_recipes import class_condition, vector_condition

NAMES = ("a.png", "b.png", "in/c.png")


def table(*lines: str, names=NAMES, at="labels.csv") -> SampleLabels:
    return parse_label_table("\n".join(lines).encode(), names, at, f"photos/{at}")


def folder(place: Path, *lines: str, names=NAMES, at="labels.csv") -> Path:
    for i, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("L", (8, 8), 6 * i).save(place / name)
    (place / at).write_text("\n".join(lines))
    return place


def items(path: Path, **settings) -> ItemList:
    return Files(path=str(path), **settings).items((".png",))


# ---------------------------------------------------------------- what a table says


def test_a_column_of_words_is_classes():
    found = table("file,kind", "b.png,dog", "in/c.png,cat", "a.png,dog")
    assert found.classes == ("cat", "dog")
    assert found.values.tolist() == [1, 1, 0]
    assert found.values.dtype == np.int64


def test_whole_numbers_are_classes_in_the_order_of_their_values():
    found = table("a.png,10", "b.png,-2", "in/c.png,9")
    assert found.classes == ("-2", "9", "10")
    assert found.values.tolist() == [2, 0, 1]


@pytest.mark.parametrize("head", [["file,smiling,old"], ["\ufefffile , smiling, old"]])
def test_several_columns_of_0_and_1_are_attributes(head):
    found = table(*head, "./a.png,1,1", "b.png , 0, 1", "in\\c.png,0,0")
    assert found.classes == ("smiling", "old")
    assert found.values.tolist() == [[1, 1], [0, 1], [0, 0]]
    assert found.values.dtype == np.float32


def test_other_numbers_are_a_vector():
    assert table("file,x,y", "a.png,1,-0.5", "b.png,2,1e3", "in/c.png,3,0").values.tolist() == [[1, -0.5], [2, 1000], [3, 0]]
    found = table("file,age", "a.png,1.5", "b.png,2.0", "in/c.png,3")
    assert found.classes == ("age",)
    assert found.values.tolist() == [[1.5], [2], [3]]


def test_quoted_cells_may_hold_commas():
    assert table('a.png,"cat, old"', "b.png,dog", "in/c.png,dog").classes == ("cat, old", "dog")


def test_without_a_header_columns_have_numbers():
    assert table("a.png,0,1", "b.png,1,1", "in/c.png,0,0").classes == ("0", "1")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "photos/labels.csv needs two columns or more, separated by commas"),
        (["a.png;cat"], "needs two columns or more"),
        (["a.png,cat", "b.png"], "has 1 cells in row 2, not 2: correct it"),
        (["file,a,a", "a.png,1,2"], r"columns of the same name \(file, a, a\)"),
        (["a.png,cat", "b.png,dog"], r"has no row for in/c.png \(1 of 3 files\)"),
        (["file,kind"], r"has no row for a.png, b.png, in/c.png \(3 of 3 files\)"),
        (["a.png,1", "b.png,1", "in/c.png,1", "d.png,1", "e.png,2"], r"rows for missing files: d.png, e.png \(2 of"),
        (["a.png,1", "b.png,1", "in/c.png,1", "b.png,2"], r"more than one row for b.png \(1 of 3 files\)"),
        (["file,kind", "a.png,cat", "b.png,", "in/c.png,dog"], "has no kind for b.png"),
        (["file,kind", "a.png,cat", "b.png," + "x" * 257, "in/c.png,dog"], "has too long a kind for b.png"),
        (["a.png,1,cat", "b.png,0,dog", "in/c.png,1,dog"], "could not convert string to float.*: give one column of words"),
        (["a.png,1,nan", "b.png,0,1", "in/c.png,1,1"], "not finite"),
        (["a.png,0.5", "b.png,inf", "in/c.png,1"], "not finite"),
        (['a.png,"cat', "b.png,dog"], "cannot be read .*: save it as comma-separated values"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(lines, message):
    with pytest.raises(GanvasError, match=message) as caught:
        table(*lines)
    assert len(str(caught.value).splitlines()) <= 2


def test_a_table_in_another_encoding_or_too_large_is_refused(monkeypatch):
    with pytest.raises(GanvasError, match="in UTF-8"):
        parse_label_table("a.png,größe".encode("latin-1"), NAMES, "labels.csv", "labels.csv")
    monkeypatch.setattr(labels, "MAX_TABLE_BYTES", 5)
    with pytest.raises(GanvasError, match="is larger than 0 MB: refused"):
        table("a.png,cat")


def test_files_of_one_path_in_an_archive_are_refused():
    with pytest.raises(GanvasError, match="has 1 more files of the same path"):
        table("a.png,1", names=("a.png", "a.png"))


# ---------------------------------------------------------------- classes in any dress

PLAIN = np.arange(60) % 3


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (PLAIN, ("0", "1", "2")),
        (PLAIN.astype(np.uint8)[:, None], ("0", "1", "2")),
        (PLAIN.astype(np.float32), ("0", "1", "2")),
        (PLAIN.astype(np.float64)[:, None], ("0", "1", "2")),
        (np.eye(3)[PLAIN], ("0", "1", "2")),
        (np.eye(3, dtype=bool)[PLAIN], ("0", "1", "2")),
        (np.eye(4, dtype=np.int64)[PLAIN], ("0", "1", "2", "3")),  # of the fourth there is none here
        (np.array(["a", "b", "c"])[PLAIN][:, None], ("a", "b", "c")),
        (np.array([b"a", b"b", "é".encode()])[PLAIN], ("a", "b", "é")),
        (10.0 * PLAIN - 10, ("-10", "0", "10")),
    ],
)
def test_whole_numbers_and_words_are_classes_in_any_dress(values, names):
    found = parse_label_values(values, 60, "x")
    assert found.classes == names
    assert found.values.dtype == np.int64
    assert found.values.tolist() == PLAIN.tolist()


@pytest.mark.parametrize(
    "values",
    [
        PLAIN[:, None] / 2,
        np.stack([PLAIN, PLAIN], 1),
        np.eye(3)[PLAIN] * 2,
        np.vstack([np.eye(3)[PLAIN], [[1, 1, 0]]])[1:],
        np.vstack([np.eye(3)[PLAIN], [[0, 0, 0]]])[1:],
    ],
)
def test_other_numbers_stay_vectors(values):
    found = parse_label_values(values, 60, "x")
    assert found.values.dtype == np.float32
    assert (found.values == values).all()


def test_numbers_with_a_point_in_a_table_are_classes_if_they_are_whole():
    found = table("file,kind", "a.png,2.0", "b.png,0.0", "in/c.png,1e1")
    assert found.classes == ("0", "2", "10")
    assert found.values.tolist() == [1, 0, 2]


def test_columns_of_which_one_is_1_are_classes_with_their_names():
    found = table("file,cat,dog,fox", "a.png,0,1,0", "b.png,1,0,0", "in/c.png,0.0,1.0,0")
    assert found.classes == ("cat", "dog", "fox")
    assert found.values.tolist() == [1, 0, 1]


# ---------------------------------------------------------------- beside files


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("top", ["", "all/"])
def test_a_table_lies_beside_the_files_and_goes_before_folders(tmp_path, kind, top):
    names = [f"{top}{n}" for n in ("x/1.png", "y/2.png")]
    place = folder(tmp_path / "p", "x/1.png,same", "y/2.png,same", names=names, at=f"{top}labels.csv")
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as file:
            for name in [*names, f"{top}labels.csv"]:
                file.write(place / name, name)
        place = tmp_path / "p.zip"
    found = items(place)
    assert found.names == names
    assert found.classes == ("same",)


def test_what_is_said_names_the_table(tmp_path):
    with pytest.raises(GanvasError, match=r"pets/labels.csv has no row for b.png, in/c.png \(2 of 3 files\)"):
        items(folder(tmp_path / "pets", "a.png,cat"))


def test_a_fingerprint_changes_with_the_labels(tmp_path):
    first = items(folder(tmp_path, "a.png,1", "b.png,1", "in/c.png,1")).fingerprint
    assert items(folder(tmp_path, "a.png,1", "b.png,1", "in/c.png,20")).fingerprint != first


def test_labels_stay_with_their_samples_to_the_batch(tmp_path):
    names = [f"{i:02d}.png" for i in range(40)]
    lines = [f"{name},{int(name[:2]) / 4},{int(name[:2])}" for name in reversed(names)]
    place = folder(tmp_path, "file,quarter,level", *lines, names=names)
    (place / "07.png").write_bytes(b"broken")
    found = prepare_dataset(items(place), ImageCodec(size=8, channels=1), None, quiet=True)
    wanted = vector_condition(2, ("quarter", "level"), examples=tuple((i / 4, float(i)) for i in range(40) if i != 7))
    assert found.conditions["label"] == wanted
    assert found.columns["label"].dtype == torch.float32
    assert found.columns["label"][:, 1].tolist() == [i for i in range(40) if i != 7]
    few = items(place, limit=5)
    assert few.labels[:, 1].tolist() == [int(name[:2]) for name in few.names]
    batch = found.batch(0, 8)
    assert (found.codec.store(batch["x"])[:, 0, 0, 0] == (6 * batch["label"][:, 1]).to(torch.uint8)).all()


# ---------------------------------------------------------------- what they ask, and matching


def test_conditions():
    classes = build_array_items(np.zeros((3, 8, 8)), np.array(["b", "a", "b"]), "x", "f", "x")
    assert classes.condition == class_condition(2, ("a", "b"), (1 / 3, 2 / 3))
    rows = build_array_items(np.zeros((3, 8, 8)), np.ones((3, 4)), "x", "f", "x")
    assert rows.condition == vector_condition(4, ("0", "1", "2", "3"), examples=((1.0,) * 4,) * 3)
    assert rows.labels.dtype == np.float32
    assert build_array_items(np.zeros((3, 8, 8)), None, "x", "f", "x").condition is None


def test_test_samples_take_the_columns_of_the_training_samples(tmp_path):
    one = folder(tmp_path / "train", "file,b,a", "a.png,1,0", "b.png,0,0", "in/c.png,1,1")
    two = folder(tmp_path / "test", "file,a,b", "a.png,0.5,2", "b.png,3,4", "in/c.png,5,6")
    found = Files(path=str(one), test=str(two)).held_out((".png",))
    assert found.classes == ("b", "a")
    assert found.labels.tolist() == [[2, 0.5], [4, 3], [6, 5]]
    with pytest.raises(GanvasError, match="has the column 'a', which the training data lacks"):
        match_labels(found, vector_condition(1, ("b",)))
    with pytest.raises(GanvasError, match="lacks the column 'c', which the training data has"):
        match_labels(found, vector_condition(3, ("a", "b", "c")))
    with pytest.raises(GanvasError, match="is labelled by a vector, the training data by a class"):
        match_labels(found, class_condition(2, ("a", "b")))
    assert match_labels(replace(found, labels=None, classes=()), class_condition(2, ("a", "b"))).labels is None


def test_classes_of_one_name_keep_their_order():
    train = class_condition(4, ("bus", "crane", "crane", "fox"), (0.1, 0.2, 0.3, 0.4))
    held_out = build_array_items(np.zeros((4, 8, 8)), np.arange(4), "x", "f", "x")
    for names, wanted in ((train.names, [0, 1, 2, 3]), (("crane", "fox", "bus", "crane"), [1, 3, 0, 2])):
        found = match_labels(replace(held_out, classes=names), train)
        assert (found.labels.tolist(), found.classes) == (wanted, train.names)
