"""Pairs of pictures: which file belongs to which, and what is refused."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.core import Spec
from ganvas.data import Columns, Pairs, prepare_dataset
from ganvas.data.pairing import pair_by_name, place_side
from ganvas.errors import GanvasError
from ganvas.media import Image

SUFFIXES = (".png", ".jpg")


def write_pictures(folder: Path, names: Iterable[str], size: tuple[int, int] = (16, 16), level: int = 0) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("L", size, level + number).save(folder / name)


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    """A/ and B/ with 40 pictures each."""
    names = [f"{k}.png" for k in range(40)]
    write_pictures(tmp_path / "A", names)
    write_pictures(tmp_path / "B", names, level=100)
    return tmp_path


def read_levels(folder: Path | Pairs) -> list[tuple[int, int]]:
    """(level of the source, level of x) for each pair."""
    source = folder if isinstance(folder, Pairs) else Pairs(path=str(folder))
    items = source.items(SUFFIXES)
    data = prepare_dataset(items, Columns(media={"x": Image(size=16), "source": Image(size=16)}).fit(items), None, True)
    return list(zip(data.columns["source"][:, 0, 0, 0].tolist(), data.columns["x"][:, 0, 0, 0].tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("A/1.png", ("train", "source", "1.png")),
        ("b/x/1.png", ("train", "target", "x/1.png")),
        ("trainB/1.png", ("train", "target", "1.png")),
        ("testA/1.png", ("test", "source", "1.png")),
        ("A/val/1.png", ("validation", "source", "1.png")),
        ("test/target/1.png", ("test", "target", "1.png")),
        ("train/1.png", ("train", None, "1.png")),
        ("1.png", ("train", None, "1.png")),
    ],
)
def test_folders_tell_part_and_side(name: str, place: tuple[str, str | None, str]) -> None:
    assert place_side(name) == place


def test_names_pair_without_suffix_case_and_words_for_a_side() -> None:
    found = pair_by_name(["1.jpg", "Cat_real.png", "d/x-A.png", "lone.png"], ["d/x-B.png", "1.png", "cat_fake.png", "b.png"])
    assert found.pairs == [(0, 1), (1, 2), (2, 0)]
    assert found.lone_names == ["lone.png", "b.png"]
    assert pair_by_name(["panda.png"], ["pand.png"]).pairs == []  # a letter that belongs to the name
    with pytest.raises(GanvasError, match=r"two files of one side have the same name: 1\.jpg, 1\.png"):
        pair_by_name(["1.jpg", "1.png"], [])


def test_what_is_equal_goes_before_what_is_alike() -> None:
    assert pair_by_name(["x.png", "x_real.png"], ["x_real.png", "x.png"]).pairs == [(0, 1), (1, 0)]


def test_two_folders(sides: Path) -> None:
    assert sorted(read_levels(sides)) == [(k, 100 + k) for k in range(40)]
    assert sorted(read_levels(Pairs(path=str(sides), reverse=True))) == [(100 + k, k) for k in range(40)]
    assert sorted(read_levels(Pairs(path=str(sides / "B"), targets=str(sides / "A")))) == [(100 + k, k) for k in range(40)]
    assert Pairs(path=str(sides)).items(SUFFIXES).title == f"{sides.name}/ (40 pairs)"
    assert len(Pairs(path=str(sides), limit=7).items(SUFFIXES)) == 7
    assert Pairs(path=str(sides)).held_out(SUFFIXES) is None


def test_other_directions_are_other_data(sides: Path) -> None:
    there, back = (Pairs(path=str(sides), reverse=reverse).items(SUFFIXES).fingerprint for reverse in (False, True))
    assert there != back


def test_parts_of_a_set(tmp_path: Path) -> None:
    for folder, count in (("trainA", 5), ("trainB", 5), ("testA", 3), ("testB", 3)):
        write_pictures(tmp_path / folder, [f"{folder}/{k}.png".split("/")[1] for k in range(count)])
    assert len(Pairs(path=str(tmp_path)).items(SUFFIXES)) == 5
    held_out = Pairs(path=str(tmp_path)).held_out(SUFFIXES)
    assert held_out is not None
    assert sorted(held_out.names) == [f"testA/{k}.png and testB/{k}.png" for k in range(3)]


def test_a_zip(sides: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pairs.zip", "w") as archive:
        for file in sorted(sides.rglob("*.png")):
            archive.write(file, file.relative_to(sides))
    assert read_levels(tmp_path / "pairs.zip") == read_levels(sides)


def test_two_halves_of_one_picture(tmp_path: Path) -> None:
    for k in range(3):
        joined = np.concatenate([np.full((16, 16), k), np.full((16, 16), 100 + k)], 1).astype(np.uint8)
        Pillow.fromarray(joined).save(tmp_path / f"{k}.png")
    assert read_levels(tmp_path) == [(k, 100 + k) for k in range(3)]
    assert read_levels(Pairs(path=str(tmp_path), reverse=True)) == [(100 + k, k) for k in range(3)]
    assert Pairs(path=str(tmp_path)).items(SUFFIXES).notes[-1] == "each picture holds a pair: its left half is the source"


def test_few_files_without_a_partner_are_left_out_and_named(sides: Path) -> None:
    write_pictures(sides / "A", ["extra.png"])
    items = Pairs(path=str(sides)).items(SUFFIXES)
    assert len(items) == 40
    assert items.notes == (f"1 file of {sides.name}/ has no partner of the same name (extra.png): left out",)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"A": ["1.png", "2.png"], "B": ["3.png", "4.png"]},
            r"4 files of .* have no partner .*1\.png, 2\.png, 3\.png, …\), and 0",
        ),
        ({"A": ["1.png", "2.png"]}, r"has 2 files in A and 0 files in B: put the sources into A"),
        ({"A": ["1.png"], "B": ["1.png"], "C": ["1.png"]}, r"1 file of .* lie neither in A nor in B \(C/1\.png\)"),
        ({"A": ["1.png"], "B": ["1.png"]}, r"no pairs to train on: at least 2 are needed"),
        ({"": ["1.png", "2.png"]}, r"neither the folders A and B nor pictures of two halves: 1\.png is 16 x 16 px"),
        ({"A": ["1.txt"]}, r"has no file to learn from"),
    ],
)
def test_what_does_not_pair_is_refused(tmp_path: Path, files: dict[str, list[str]], message: str) -> None:
    for folder, names in files.items():
        for name in names:
            (tmp_path / folder).mkdir(exist_ok=True)
            Pillow.new("L", (16, 16)).save(tmp_path / folder / name, "PNG")
    with pytest.raises(GanvasError, match=message):
        Pairs(path=str(tmp_path)).items(SUFFIXES)


def test_shapes_that_do_not_fit_are_refused_but_sizes_may_differ(tmp_path: Path) -> None:
    write_pictures(tmp_path / "A", ["1.png", "2.png"])
    write_pictures(tmp_path / "B", ["1.png", "2.png"], size=(64, 64))
    assert len(Pairs(path=str(tmp_path)).items(SUFFIXES)) == 2
    write_pictures(tmp_path / "B", ["2.png"], size=(16, 12))
    with pytest.raises(GanvasError, match=r"A/2\.png is 16 x 16 px, but B/2\.png is 16 x 12: a pair shows the same place"):
        Pairs(path=str(tmp_path)).items(SUFFIXES)
    (tmp_path / "B" / "2.png").write_bytes(b"no picture")
    with pytest.raises(GanvasError, match=r"B/2\.png is no image that can be read"):
        Pairs(path=str(tmp_path)).items(SUFFIXES)


def test_both_sides_are_mirrored_together(sides: Path) -> None:
    gradient = np.arange(16, dtype=np.uint8) * np.ones((16, 1), np.uint8)
    for k in range(40):
        for folder in "AB":
            Pillow.fromarray(gradient + k).save(sides / folder / f"{k}.png")
    items = Pairs(path=str(sides)).items(SUFFIXES)
    media = {"x": Image(size=16, flip=True), "source": Image(size=16, flip=True)}
    batch = prepare_dataset(items, Columns(media=media).fit(items), None, True).batch(seed=3, size=64)
    assert torch.equal(batch["x"], batch["source"])
    is_rising = batch["x"][:, 0, 0, 0] < batch["x"][:, 0, 0, -1]
    assert 10 < int(is_rising.sum()) < 54


def test_the_source_is_a_condition_with_a_shape(sides: Path) -> None:
    items = Pairs(path=str(sides)).items(SUFFIXES)
    data = prepare_dataset(items, Columns(media={"x": Image(size=16), "source": Image(size=8)}).fit(items), None, True)
    spec: Spec = data.spec
    assert spec.shape == (1, 16, 16)
    assert list(spec.conditions) == ["source"]
    assert spec.conditions["source"].shape == (1, 8, 8)  # type: ignore[attr-defined]
