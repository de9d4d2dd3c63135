"""What a path is for, the sentence that says so, and what is refused with both readings."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.data import Columns, Files, Pairs, Unpaired, prepare_dataset, recognise_task
from ganvas.data.pairs import find_whole_scale
from ganvas.errors import GanvasError
from ganvas.media import Image

SUFFIXES = Image().suffixes


def write_set(
    top: Path, folders: Mapping[str, Iterable[str]], sizes: Mapping[str, tuple[int, int]] = {}, mode: str = "RGB"
) -> str:
    for folder, names in folders.items():
        (top / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            Pillow.new(mode, (sizes or {}).get(folder, (16, 16))).save(top / folder / f"{name}.png")
    return str(top)


def numbers(count: int, start: int = 0) -> list[str]:
    return [f"{k:03d}" for k in range(start, start + count)]


def test_two_sides_with_the_same_names_are_pairs(tmp_path: Path) -> None:
    path = write_set(tmp_path, {"A": numbers(42), "B": numbers(40)})
    task = recognise_task(path, SUFFIXES)
    assert (task.kind, task.scale, task.source) == ("paired", 1.0, Pairs(path=path))
    assert task.sentence == "40 pairs by name, 2 files without a partner, 16 x 16 RGB"


def test_parts_are_counted(tmp_path: Path) -> None:
    paired = write_set(tmp_path / "p", {"trainA": numbers(4), "trainB": numbers(4), "testA": numbers(3), "testB": numbers(3)})
    assert recognise_task(paired, SUFFIXES).sentence == "4 pairs by name, 16 x 16 RGB, 3 pairs in a test part"
    unpaired = write_set(
        tmp_path / "u", {"trainA": numbers(4), "trainB": numbers(5, 50), "testA": ["a", "b"], "testB": ["c", "d"]}
    )
    task = recognise_task(unpaired, SUFFIXES)
    assert (task.kind, task.source) == ("unpaired", Unpaired(path=unpaired))
    assert task.sentence == "4 pictures in A and 5 in B, without pairs, 16 x 16 RGB, 2 and 2 in a test part"


@pytest.mark.parametrize("common", [0, 1])
def test_two_sides_without_names_in_common_have_no_pairs(tmp_path: Path, common: int) -> None:
    path = write_set(tmp_path, {"A": numbers(30), "B": numbers(40, 30 - common)}, {"B": (24, 16)}, mode="L")
    task = recognise_task(path, SUFFIXES)
    assert (task.kind, task.source) == ("unpaired", Unpaired(path=path))
    assert task.sentence == "30 pictures in A and 40 in B, without pairs, 24 x 16 gray"


def test_names_that_agree_in_part_are_refused_with_both_readings(tmp_path: Path) -> None:
    path = write_set(tmp_path, {"A": numbers(50), "B": numbers(50, 20)})
    with pytest.raises(GanvasError) as refusal:
        recognise_task(path, SUFFIXES)
    assert str(refusal.value) == (
        f"{tmp_path.name}/ can be read in two ways: as 30 pairs by name, with 40 files without a partner, or as two kinds of "
        "pictures without pairs. For pairs, rename or remove the lone files; otherwise name a recipe that needs no pairs, "
        "such as cyclegan or cut"
    )


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"A": 5}, "has 5 files in A, and no folder B: put what the sources become into B, or give the folder A itself"),
        ({"B": 5}, "has 5 files in B, and no folder A: put the sources into A, or give the folder B itself"),
        ({"trainA": 5, "testA": 2}, "has 5 files in A, and no folder B"),
    ],
)
def test_a_lone_side_is_refused(tmp_path: Path, folders: Mapping[str, int], message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        recognise_task(write_set(tmp_path, {folder: numbers(count) for folder, count in folders.items()}), SUFFIXES)


@pytest.mark.parametrize(
    "folders", [("cat", "dog"), ("a", "b", "c"), ("input",), ("train", "test"), ("train/cat", "train/dog")], ids=str
)
def test_classes_and_single_folders_stay_what_they_are(tmp_path: Path, folders: tuple[str, ...]) -> None:
    path = write_set(tmp_path, {folder: numbers(4) for folder in folders})
    task = recognise_task(path, SUFFIXES)
    assert (task.kind, task.source) == ("plain", Files(path=path))
    count = 4 if folders == ("train", "test") else 4 * len(folders)
    classes = {("cat", "dog"): ", 2 classes", ("a", "b", "c"): ", 3 classes", ("train/cat", "train/dog"): ", 2 classes"}
    assert task.sentence == f"{count} samples of one kind{classes.get(folders, '')}"


def test_other_sources_are_plain(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 8, 8), np.uint8))
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    assert recognise_task(str(tmp_path / "x.npy"), SUFFIXES).kind == "plain"
    assert recognise_task(str(tmp_path / "numbers.csv"), ()).kind == "plain"
    assert recognise_task("fashion-embedded", SUFFIXES).kind == "plain"
    with pytest.raises(GanvasError, match="does not exist"):
        recognise_task(str(tmp_path / "nowhere"), SUFFIXES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(GanvasError, match="is empty"):
        recognise_task(str(tmp_path / "empty"), SUFFIXES)


def test_pictures_of_two_halves_are_pairs(tmp_path: Path) -> None:
    path = write_set(tmp_path, {"train": numbers(4), "val": numbers(3)}, {"train": (32, 16), "val": (32, 16)})
    task = recognise_task(path, SUFFIXES)
    assert task.kind == "paired"
    assert task.sentence == "4 pairs side by side, the source on the left, 16 x 16 RGB, 3 pairs in a test part"
    Pillow.new("RGB", (31, 16)).save(tmp_path / "train" / "other.png")
    assert recognise_task(path, SUFFIXES).kind == "plain"


@pytest.mark.parametrize(
    ("sizes", "scale", "phrase"),
    [
        ({"A": (16, 16), "B": (64, 64)}, 4.0, ", 64 x 64 RGB, 4 times larger than the sources"),
        ({"A": (48, 32), "B": (24, 16)}, 0.5, ", 24 x 16 RGB, sources 2 times larger"),
        ({"A": (85, 64), "B": (340, 257)}, 4.0, ", 340 x 257 RGB, 4 times larger than the sources"),  # rounded by a pixel
    ],
)
def test_pairs_of_two_sizes_have_a_scale(tmp_path: Path, sizes, scale: float, phrase: str) -> None:
    task = recognise_task(write_set(tmp_path, {"A": numbers(3), "B": numbers(3)}, sizes), SUFFIXES)
    assert task.scale == scale
    assert task.sentence == f"3 pairs by name{phrase}"


def test_a_scale_that_is_no_whole_number_is_refused_with_both_sizes(tmp_path: Path) -> None:
    path = write_set(tmp_path, {"A": numbers(3), "B": numbers(3)}, {"A": (40, 20), "B": (60, 30)})
    message = (
        r"A/000\.png is 40 x 20 px, but B/000\.png is 60 x 30, which is no whole number of times: give both one size, or 2, 3"
    )
    with pytest.raises(GanvasError, match=message):
        recognise_task(path, SUFFIXES)
    path = write_set(tmp_path / "mixed", {"A": numbers(3), "B": numbers(3)})
    Pillow.new("RGB", (32, 32)).save(tmp_path / "mixed" / "B" / "002.png")
    with pytest.raises(GanvasError, match=r"B/002\.png is 32 x 32, and other pairs differ by another factor"):
        Pairs(path=path).items(SUFFIXES)


@pytest.mark.parametrize(
    ("sides", "scale"),
    [
        ((16, 16), 1.0),
        ((100, 101), 1.0),
        ((10, 40), 4.0),
        ((40, 10), 0.25),
        ((10, 15), None),
        ((64, 257), 4.0),
        ((10, 13), None),
    ],
)
def test_whole_scales(sides: tuple[int, int], scale: float | None) -> None:
    assert find_whole_scale(*sides) == scale


def write_table(top: Path, text: str, name: str = "pairs.csv") -> Path:
    for k in range(4):
        for folder, level in (("sketches", 0), ("photos", 100)):
            (top / folder).mkdir(exist_ok=True)
            Pillow.new("L", (8, 8), level + k).save(top / folder / f"{folder}{k}.png")
    (top / name).write_text(text, encoding="utf-8")
    return top / name


TABLE = "source,target\n" + "".join(f"sketches/sketches{k}.png,photos/photos{3 - k}.png\n" for k in range(4))


@pytest.mark.parametrize("form", ["folder", "file", "zip", "no header", "windows"])
def test_a_table_tells_the_pairs(tmp_path: Path, form: str) -> None:
    text = {"no header": TABLE.partition("\n")[2], "windows": "\ufeff" + TABLE.replace("/", "\\").replace("\n", "\r\n")}.get(
        form, TABLE
    )
    table = write_table(tmp_path, text, "other.csv" if form == "file" else "pairs.csv")
    path = str(table if form == "file" else tmp_path)
    if form == "zip":
        path = str(tmp_path / "set.zip")
        with zipfile.ZipFile(path, "w") as archive:
            for file in (table, *sorted(tmp_path.rglob("*.png"))):
                archive.write(file, file.relative_to(tmp_path))
    task = recognise_task(path, SUFFIXES)
    assert task.sentence == f"4 pairs of {table.name}, 8 x 8 gray"
    for reverse in (False, True):
        items = Pairs(path=path, reverse=reverse).items(SUFFIXES)
        data = prepare_dataset(items, Columns(media={"x": Image(size=8), "source": Image(size=8)}).fit(items), None, True)
        pairs = {(data.columns["source"][k, 0, 0, 0].item(), data.columns["x"][k, 0, 0, 0].item()) for k in range(4)}
        expected = {(k, 103 - k) for k in range(4)}
        assert pairs == ({(x, source) for source, x in expected} if reverse else expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no pairs: write a line for each"),
        ("source,target\n", "names no pairs"),
        ("a.png,b.png,c.png\n", "has 'a.png,b.png,c.png' for pair 1: a line holds two paths"),
        ("source,target\nsketches/sketches0.png,\n", "for pair 1: a line holds two paths"),
        (
            TABLE + "sketches/no.png,photos/photos1.png\n",
            r"names 1 file that .* lacks \(sketches/no\.png\): write paths relative",
        ),
        ("source,target\n/etc/passwd,../x.png\n", r"names 2 files that .* lacks"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    write_table(tmp_path, text)
    with pytest.raises(GanvasError, match=message):
        recognise_task(str(tmp_path), SUFFIXES)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path, "")
    (tmp_path / "pairs.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GanvasError, match=r"pairs\.csv cannot be read .*: save it as comma-separated values in UTF-8"):
        recognise_task(str(tmp_path), SUFFIXES)
