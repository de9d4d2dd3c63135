"""Labels as others write them, folders that are no classes, and a word on every file of labels that is not used."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.data import Files
from ganvas.data.dataset import open_data
from ganvas.data.folder_labels import infer_folder_labels
from ganvas.data.items import ItemList
from ganvas.errors import GanvasError
from ganvas.media import Image
from ganvas.training.session import train

NVIDIA = [f"{i // 20:05d}/img{i:08d}.png" for i in range(75)]  # as dataset_tool writes them, but for 20 a folder


def place(folder: Path, names: list[str], **texts: str) -> Path:
    """A folder of pictures, and of files of words by name ("dataset.json" is dataset_json)."""
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("L", (8, 8), i).save(folder / name)
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def items(path: Path, kind: str = "folder") -> ItemList:
    if kind == "zip":
        with zipfile.ZipFile(path.with_suffix(".zip"), "w") as file:
            for inner in sorted(path.rglob("*.*")):
                file.write(inner, inner.relative_to(path))
        path = path.with_suffix(".zip")
    return Files(path=str(path)).items((".png",))


def words(found: ItemList) -> list[str] | None:
    return None if found.labels is None else [found.classes[k] for k in found.labels]


# ---------------------------------------------------------------- NVIDIA's dataset.json


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_classes_come_from_dataset_json_and_not_from_numbered_folders(tmp_path, kind):
    labels = [[name, i % 3] for i, name in enumerate(NVIDIA)]
    found = items(place(tmp_path / "nv", NVIDIA, dataset_json=json.dumps({"labels": labels[::-1]})), kind)
    assert found.names == NVIDIA
    assert found.classes == ("0", "1", "2")
    assert found.labels.tolist() == [i % 3 for i in range(75)]
    assert found.label_notes == ("labels come from dataset.json",)


def test_dataset_json_works_without_folders_as_a_mapping_and_with_vectors(tmp_path):
    names = ["a.png", "b.png", "c.png"]
    labels = {"a.png": 7, "b.png": 5, "c.png": 7, "gone.png": 1}
    assert words(items(place(tmp_path / "a", names, dataset_json=json.dumps({"labels": labels})))) == ["7", "5", "7"]
    vectors = {name: [i / 2, -i] for i, name in enumerate(names)}
    found = items(place(tmp_path / "b", names, dataset_json=json.dumps({"labels": list(vectors.items())})))
    assert found.labels.tolist() == [[0, 0], [0.5, -1], [1, -2]]
    assert found.labels.dtype == np.float32


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_dataset_json_may_say_that_there_are_no_labels(tmp_path, kind):
    found = items(place(tmp_path / "p", ["cat/1.png", "dog/2.png"], dataset_json='{"labels": null}'), kind)
    assert (found.labels, found.classes) == (None, ())
    assert found.label_notes == ("dataset.json says that there are no labels",)


def test_a_dataset_json_of_another_kind_is_named_and_passed_over(tmp_path):
    found = items(place(tmp_path / "p", ["cat/1.png", "dog/2.png"], dataset_json='{"name": "pets"}'))
    assert words(found) == ["cat", "dog"]
    assert found.label_notes == ("dataset.json is not used: it is not in NVIDIA's format: it has no 'labels'",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"labels": [["a.png", 1]]}', r"dataset.json has no label for b.png \(1 of 2 files\): complete it, or remove it"),
        ('{"labels": [["a.png", 1], ["b.png", [1, 2]]]}', "labels of different lengths"),
        ('{"labels": [["a.png", 1], ["b.png", {}]]}', "type object"),
        ('{"labels": [1, 2]}', "cannot be read .its 'labels' are not pairs of a path and a label"),
        ('{"labels": ', "dataset.json cannot be read"),
        ('{"labels": 5}', "dataset.json cannot be read"),
        ('{"labels": ' + "[" * 100_000, "dataset.json cannot be read"),
        (json.dumps({"labels": {"a.png": "x" * 257, "b.png": "y"}}), "has labels of more than 256 characters"),
    ],
)
def test_a_dataset_json_that_does_not_fit_is_refused(tmp_path, text, message):
    with pytest.raises(GanvasError, match=message) as caught:
        items(place(tmp_path / "p", ["a.png", "b.png"], dataset_json=text))
    assert len(str(caught.value).splitlines()) == 1


# ---------------------------------------------------------------- Hugging Face's metadata


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata_csv", "file_name,text,label\nx/1.png,a cat,cat\nx/2.png,a dog,dog\ny/3.png,one more,cat\n"),
        ("metadata_csv", "\ufeffname,label,file_name\nb,dog,x/2.png\na,cat,./x/1.png\nc,cat,y\\3.png\n"),
        ("metadata_jsonl", "\n".join(json.dumps({"file_name": f, "label": k}) for f, k in
                                     (("y/3.png", "cat"), ("x/2.png", "dog"), ("x/1.png", "cat")))),
    ],
)  # fmt: skip
def test_classes_come_from_metadata(tmp_path, kind, name, text):
    found = items(place(tmp_path / "p", ["x/1.png", "x/2.png", "y/3.png"], **{name: text}), kind)
    assert words(found) == ["cat", "dog", "cat"]
    assert found.label_notes == (f"labels come from {name.replace('_', '.')}",)


def test_numbers_in_metadata_are_numbers(tmp_path):
    rows = "file_name,label\na.png,10\nb.png,9\n"
    assert items(place(tmp_path / "a", ["a.png", "b.png"], metadata_csv=rows)).classes == ("9", "10")
    rows = "\n".join(json.dumps({"file_name": name, "labels": [0.5, k]}) for k, name in enumerate(["a.png", "b.png"]))
    assert items(place(tmp_path / "b", ["a.png", "b.png"], metadata_jsonl=rows)).labels.tolist() == [[0.5, 0], [0.5, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file_name,label\na.png,cat\n", "has no label for b.png"),
        ("file_name,label\na.png,cat\nb.png,\n", "has no label for b.png"),
        ('file_name,label\na.png,"cat\n', "metadata.csv cannot be read"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(tmp_path, text, message):
    with pytest.raises(GanvasError, match=message):
        items(place(tmp_path / "p", ["a.png", "b.png"], metadata_csv=text))


# ---------------------------------------------------------------- no table goes without a word


def test_metadata_without_labels_is_named_and_folders_count(tmp_path):
    found = items(place(tmp_path / "p", ["cat/1.png", "dog/2.png"], metadata_csv="file_name,text\ncat/1.png,a cat\n"))
    assert words(found) == ["cat", "dog"]
    assert found.label_notes == ("metadata.csv is not used: it needs the columns file_name and label; it has file_name, text",)


def test_our_own_table_goes_first_and_the_others_are_named(tmp_path):
    texts = {"labels_csv": "a.png,x\nb.png,y\n", "dataset_json": '{"labels": null}', "metadata_csv": "file_name,label\n"}
    found = items(place(tmp_path / "p", ["a.png", "b.png"], **texts))
    assert words(found) == ["x", "y"]
    assert found.label_notes == tuple(
        f"{name} is not used: labels.csv goes before it" for name in ("dataset.json", "metadata.csv")
    )


def test_a_table_beside_some_of_the_files_is_named(tmp_path):
    place(tmp_path / "p", ["cat/1.png", "dog/2.png"])
    (tmp_path / "p" / "cat" / "labels.csv").write_text("1.png,old")
    found = items(tmp_path / "p")
    assert words(found) == ["cat", "dog"]
    assert found.label_notes == ("cat/labels.csv is not used: some files do not lie in its folder",)


def test_arrays_and_idx_files_say_what_labels_they_miss(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x=pixels, kind=np.arange(6))
    assert Files(path=str(tmp_path / "a.npz")).items(()).label_notes == (
        "its arrays kind are not used: labels are looked for in y, labels, label, targets",
    )
    np.savez(tmp_path / "b.npz", x=pixels, targets=np.arange(6) % 2)
    found = Files(path=str(tmp_path / "b.npz")).items(())
    assert (found.labels.tolist(), found.label_notes) == ([0, 1] * 3, ())
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 8, 0, 0, 0, 8]) + pixels.tobytes())
    assert Files(path=str(path)).items(()).label_notes == ("no labels: there is no train-labels-idx1-ubyte beside it",)


def test_what_is_to_be_said_is_printed_once(tmp_path, capsys):
    found = place(tmp_path / "p", ["cat/1.png", "dog/2.png"], dataset_json='{"labels": null}')
    open_data(Files(path=str(found), test=str(found)), Image(size=8))
    assert capsys.readouterr().err.splitlines() == ["ganvas: p/ (2 files): dataset.json says that there are no labels"]
    open_data(Files(path=str(found)), Image(size=8), is_quiet=True)
    assert capsys.readouterr().err == ""


def test_a_size_that_was_chosen_is_said_unless_it_is_quiet(tmp_path, capsys):
    found = place(tmp_path / "p", ["1.png", "2.png"])
    codec, _, _ = open_data(Files(path=str(found)), Image())
    size = codec.frame_size
    assert capsys.readouterr().err.splitlines() == [f"ganvas: p/ (2 files): pictures stay {size} (width x height)"]
    open_data(Files(path=str(found)), Image(), is_quiet=True)
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- folders that are no classes


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(
    "names",
    [
        NVIDIA,
        [f"top/{name}" for name in NVIDIA],
        [f"{i // 20 * 1000:05d}/{i // 20 * 1000 + i % 20:05d}.png" for i in range(75)],  # FFHQ's
    ],
)
def test_numbered_parts_of_one_list_are_no_classes(tmp_path, kind, names):
    found = items(place(tmp_path / "nv", names), kind)
    assert (found.labels, found.classes) == (None, ())
    (note,) = found.label_notes
    assert "are numbered parts of one list, no classes" in note


@pytest.mark.parametrize(
    "names",
    [
        [f"{k:05d}/{k % 2:05d}_{i:05d}.ppm" for k in range(4) for i in range(20)],  # GTSRB: each class counts anew
        [f"{k}/{i:05d}.png" for i in range(60) for k in (i % 3,)],  # MNIST as pictures
        [f"{k:05d}/{i}.png" for i in range(60) for k in ((7, 12, 30)[i % 3],)],  # persons by their numbers
        ["00000/1.png", "00001/2.png", "other/3.png"],
    ],
)
def test_numbers_that_are_classes_stay_classes(names):
    labels, note, _ = infer_folder_labels(names)
    assert labels.classes == tuple(sorted({name.split("/")[0] for name in names}))
    assert note == ""


# ---------------------------------------------------------------- files beside class folders

CLASSES = [f"{c}/{i}.png" for c in "abcd" for i in range(10)]


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(("top", "stray"), [("", "cover.png"), ("set/", "cover.png"), ("set/", "set/cover.png")])
def test_a_few_files_beside_class_folders_are_left_out_with_a_word(tmp_path, kind, top, stray):
    found = items(place(tmp_path / "x", [stray, *(top + name for name in CLASSES)]), kind)
    assert found.names == sorted(top + name for name in CLASSES)
    assert words(found) == [c for c in "abcd" for _ in range(10)]
    assert found.label_notes == (f"1 of 41 files lies in no class folder ({stray}): left out",)
    with Pillow.open(io.BytesIO(found[0])) as picture:
        assert picture.getpixel((0, 0)) == 1  # the first of a class, not the stray


def test_many_files_beside_class_folders_say_why_there_are_no_labels(tmp_path):
    found = items(place(tmp_path / "x", [*CLASSES, "0.png", "1.png", "2.png"]))
    assert (len(found), found.labels) == (43, None)
    assert found.label_notes == ("3 of 43 files lie in no class folder (0.png, 1.png, 2.png): folders are not used as labels",)


def test_one_folder_beside_loose_files_is_no_class_and_no_matter(tmp_path):
    assert items(place(tmp_path / "x", ["0.png", *(f"more/{i}.png" for i in range(40))])).label_notes == ()
    assert len(items(tmp_path / "x")) == 41


def test_a_refusal_for_want_of_labels_says_why_there_are_none(tmp_path):
    place(tmp_path / "x", [*CLASSES, "0.png", "1.png", "2.png"])
    with pytest.raises(GanvasError, match=r"need labels.*This data: 3 of 43 files lie in no class folder"):
        train("cgan", data=tmp_path / "x", out=tmp_path / "run", samples=64, quiet=True)
