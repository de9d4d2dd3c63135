"""Two sides without pairs: stored once each, drawn independently, held out by themselves."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from ganvas.core import Spec
from ganvas.data import Columns, EncodedDataset, HeldOut, Unpaired
from ganvas.data.columns import load_conditions
from ganvas.data.dataset import open_data
from ganvas.data.rows import UnpairedColumns, count_rows, get_storage, match_rows, select_rows, take_rows
from ganvas.errors import GanvasError
from ganvas.media import Image

SUFFIXES = (".png", ".jpg")
MEDIUM = Columns(media={"x": Image(size=8, channels="gray"), "source": Image(size=8, channels="gray")})


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GANVAS_CACHE", str(cache))
    return cache


def write_side(folder: Path, levels: Iterable[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, level in enumerate(levels):
        Pillow.new("L", (8, 8), level).save(folder / f"{folder.name}{number:03d}.png")


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    """A/ with the levels 0 to 69, B/ with 100 to 149."""
    write_side(tmp_path / "A", range(70))
    write_side(tmp_path / "B", range(100, 150))
    return tmp_path


def open_sides(source: Unpaired, held_out: HeldOut | None = None) -> tuple[EncodedDataset, EncodedDataset | None]:
    return open_data(source, MEDIUM, is_quiet=True, held_out=held_out)[1:]


def read_stored_levels(data: EncodedDataset, name: str) -> list[int]:
    stored, rows = get_storage(data.columns, name)
    return stored[rows, 0, 0, 0].tolist()


def read_levels(x: torch.Tensor) -> list[int]:
    return ((x[:, 0, 0, 0] + 1) * 127.5).round().long().tolist()


def test_each_side_is_stored_once_whatever_the_length_of_the_other(sides: Path, own_cache: Path) -> None:
    data, held_out = open_sides(Unpaired(path=str(sides)))
    assert held_out is None
    assert data.byte_count == (70 + 50) * 8 * 8
    assert sorted(read_stored_levels(data, "source")) == list(range(70))
    assert sorted(read_stored_levels(data, "x")) == list(range(100, 150))
    assert sum(file.stat().st_size for file in own_cache.rglob("stored.npy")) < (70 + 50) * 64 + 2 * 200


def test_it_looks_like_any_data_set(sides: Path) -> None:
    data, _ = open_sides(Unpaired(path=str(sides)))
    spec: Spec = data.spec
    assert len(data) == len(data.columns["x"]) == len(data.columns["source"]) == 50  # one row for each picture to learn
    assert set(data.columns) == {"x", "source"}
    assert list(spec.conditions) == ["source"]
    assert spec.conditions["source"].shape == (1, 8, 8)  # type: ignore[attr-defined]
    assert data.title == f"{sides.name}/ (70 in A, 50 in B)"
    conditions = load_conditions(data.codec, data.columns, data.spec.conditions)
    assert conditions["source"].shape == (50, 1, 8, 8)
    rows = take_rows(data.columns, torch.arange(50))
    assert torch.equal(rows["source"], data.columns["source"])
    selected = select_rows(data.columns, torch.tensor([3, 49]))
    assert torch.equal(selected["source"], data.columns["source"][[3, 49]])
    assert torch.equal(selected["x"], data.columns["x"][[3, 49]])


def test_batches_draw_the_sides_independently_and_follow_from_their_seed(sides: Path) -> None:
    data, _ = open_sides(Unpaired(path=str(sides)))
    batch, again = data.batch(5, 4_000), data.batch(5, 4_000)
    assert all(torch.equal(batch[name], again[name]) for name in ("x", "source"))
    assert not torch.equal(batch["x"], data.batch(6, 4_000)["x"])
    sources, targets = read_levels(batch["source"]), read_levels(batch["x"])
    assert set(sources) == set(range(70))
    assert set(targets) == set(range(100, 150))
    counts = torch.bincount(torch.tensor(sources), minlength=70)
    assert counts.min() > 25  # uniform: 57 on average, and no source repeats to fill the longer side
    assert counts.max() < 100
    assert len(set(zip(sources, targets, strict=True))) > 2_000  # of 3,500 combinations
    correlation = torch.corrcoef(torch.tensor([sources, targets], dtype=torch.float64))[0, 1]
    assert abs(float(correlation)) < 0.06


def test_the_way_back_swaps_the_sides_and_keeps_the_cache(sides: Path, own_cache: Path) -> None:
    open_sides(Unpaired(path=str(sides)))
    entries = sorted(entry.name for entry in own_cache.iterdir())
    back, _ = open_sides(Unpaired(path=str(sides), reverse=True))
    assert len(back) == 70
    assert sorted(read_stored_levels(back, "x")) == list(range(70))
    assert sorted(entry.name for entry in own_cache.iterdir()) == entries
    assert Unpaired(path=str(sides)).items(SUFFIXES).fingerprint != back.fingerprint


def test_a_share_of_each_side_is_never_trained_on(sides: Path) -> None:
    data, held_out = open_sides(Unpaired(path=str(sides)), HeldOut(share=0.2))
    assert held_out is not None
    for name, total, share in (("x", 50, 10), ("source", 70, 14)):
        trained, scored = set(read_stored_levels(data, name)), set(read_stored_levels(held_out, name))
        assert len(scored) == share
        assert len(trained) == total - share
        assert not trained & scored
        assert set(read_levels(data.batch(0, 3_000)[name])) == trained
        assert set(read_levels(held_out.batch(0, 3_000)[name])) == scored
    assert (len(data), len(held_out), data.held_out_count) == (40, 10, 10)
    assert held_out.title.endswith(", 14 and 10 held out of training")
    assert count_rows(held_out.columns) == len(held_out.columns["source"]) == 10
    assert held_out.fingerprint == open_sides(Unpaired(path=str(sides)), HeldOut(share=0.2))[1].fingerprint  # type: ignore[union-attr]


def test_copies_of_a_picture_are_held_out_together(tmp_path: Path) -> None:
    write_side(tmp_path / "A", [level for level in range(30) for _ in range(2)])
    write_side(tmp_path / "B", range(60))
    data, held_out = open_sides(Unpaired(path=str(tmp_path)), HeldOut(share=0.2))
    assert held_out is not None
    assert len(read_stored_levels(held_out, "source")) == 12
    assert not set(read_stored_levels(data, "source")) & set(read_stored_levels(held_out, "source"))


def test_a_side_too_small_to_hold_out_keeps_both_whole(tmp_path: Path) -> None:
    write_side(tmp_path / "A", range(10))
    write_side(tmp_path / "B", range(100))
    data, held_out = open_sides(Unpaired(path=str(tmp_path)), HeldOut(share=0.05))
    assert held_out is None
    assert data.held_out_count == 0
    assert len(data) == 100


def test_the_test_part_is_held_out(tmp_path: Path) -> None:
    for folder, levels in (("trainA", range(9)), ("trainB", range(20, 25)), ("testA", range(40, 43)), ("testB", range(60, 67))):
        write_side(tmp_path / folder, levels)
    data, held_out = open_sides(Unpaired(path=str(tmp_path)), HeldOut())
    assert held_out is not None
    assert read_stored_levels(data, "source") == list(range(9))
    assert read_stored_levels(held_out, "source") == [40, 41, 42]
    assert read_stored_levels(held_out, "x") == list(range(60, 67))
    assert held_out.columns["source"][:, 0, 0, 0].tolist() == [40, 41, 42, 40, 41, 42, 40]  # a shorter side repeats


@settings(deadline=None)
@given(total=st.integers(1, 60), side_total=st.integers(1, 60))
def test_every_row_has_one_of_the_other_side_spread_evenly(total: int, side_total: int) -> None:
    rows = match_rows(torch.arange(total), total, side_total)
    assert rows.tolist() == [match_rows(row, total, side_total) for row in range(total)]
    counts = torch.bincount(rows, minlength=side_total)
    assert len(counts) == side_total
    assert counts.max() - counts.min() <= 1


def test_other_folders_zips_and_limits(sides: Path, tmp_path: Path) -> None:
    elsewhere = Unpaired(path=str(sides / "B"), targets=str(sides / "A"))
    assert read_stored_levels(open_sides(elsewhere)[0], "x") == list(range(70))
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for file in sorted(sides.rglob("*.png")):
            archive.write(file, file.relative_to(sides))
    assert read_stored_levels(open_sides(Unpaired(path=str(tmp_path / "both.zip")))[0], "source") == list(range(70))
    limited, _ = open_sides(Unpaired(path=str(sides), limit=7))
    assert len(read_stored_levels(limited, "x")) == len(read_stored_levels(limited, "source")) == 7


def test_a_broken_picture_leaves_the_other_side_whole(sides: Path) -> None:
    (sides / "A" / "A003.png").write_bytes(b"no picture")
    data, _ = open_sides(Unpaired(path=str(sides)))
    assert data.skipped_count == 1
    assert read_stored_levels(data, "source") == [level for level in range(70) if level != 3]
    assert len(data) == 50


def test_copies_on_a_device_stay_two_sides(sides: Path) -> None:
    data, _ = open_sides(Unpaired(path=str(sides)))
    moved = data.copy_to_device("cpu")
    assert isinstance(moved.columns, UnpairedColumns)
    assert torch.equal(moved.batch(1, 8)["source"], data.batch(1, 8)["source"])


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"A": 5}, r"has 5 files in A and 0 files in B: put the sources into A, and pictures of the other kind into B"),
        ({"A": 5, "B": 1}, r"has 1 file in B, which is no data set: at least 2 are needed"),
        ({"A": 5, "B": 5, "C": 2}, r"2 files of .* lie neither in A nor in B \(C/C000\.png, C/C001\.png\): move them"),
        ({"testA": 5, "testB": 5}, r"has no pictures to train on: put them into trainA and trainB, or into A and B"),
    ],
)
def test_what_has_no_two_sides_is_refused(tmp_path: Path, folders: dict[str, int], message: str) -> None:
    for folder, count in folders.items():
        write_side(tmp_path / folder, range(count))
    with pytest.raises(GanvasError, match=message):
        Unpaired(path=str(tmp_path)).items(SUFFIXES)


def test_half_a_test_part_is_refused(tmp_path: Path) -> None:
    for folder in ("trainA", "trainB", "testA"):
        write_side(tmp_path / folder, range(4))
    with pytest.raises(GanvasError, match=r"has 4 files in A and 0 files in B of its test part: put the sources into A"):
        Unpaired(path=str(tmp_path)).held_out(SUFFIXES)
    with pytest.raises(GanvasError, match=r"nowhere is no folder and no zip of pictures"):
        Unpaired(path="nowhere").items(SUFFIXES)
