"""Photographs cut into tiles: which, from where, how often they are decoded, and that none is on both sides."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.data import Files, Tiles, prepare_dataset, tile_survey
from ganvas.data.tile_survey import measure_detail
from ganvas.data.tiles import choose_evenly_spaced
from ganvas.errors import GanvasError
from ganvas.media import Image

SUFFIXES = Image().suffixes


def write_photographs(folder: Path, count: int, size: tuple[int, int] = (100, 70), level: int = 256) -> str:
    """Noise, in which every picture's first channel is its number."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(folder)))
    for k in range(count):
        pixels = rng.integers(level, size=(size[1], size[0], 3), dtype=np.uint8)
        pixels[..., 0] = k
        Pillow.fromarray(pixels).save(folder / f"{k:02d}.png")
    return str(folder)


def test_tiles_are_the_pixels_of_the_photograph_on_a_grid_in_its_middle(tmp_path: Path) -> None:
    path = write_photographs(tmp_path, 2)
    items = Tiles(path=path, size=32, share=0).items(SUFFIXES)
    assert len(items) == 2 * (100 // 32) * (70 // 32)
    assert items.names[0] == "00.png at 2,3"
    pixels = np.asarray(Pillow.open(tmp_path / "00.png"))
    assert np.array_equal(items[0], pixels[3:35, 2:34])
    assert np.array_equal(items[4], pixels[35:67, 34:66])
    assert items.notes[-1] == "12 tiles of 32 px cut from 2 photographs"
    codec = Image(pixels=32 * 32).fit(items)
    assert codec.size == 32
    assert np.array_equal(prepare_dataset(items, codec, None, True).columns["x"][4].numpy(), items[4])


def test_a_photograph_is_decoded_once_for_all_its_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = Tiles(path=write_photographs(tmp_path, 3), size=32, share=0).items(SUFFIXES)
    decoded: list[int] = []
    monkeypatch.setattr(
        tile_survey, "decode_pixels", lambda data: decoded.append(len(data)) or np.zeros((70, 100, 3), np.uint8)
    )
    for k in range(len(items)):
        items[k]
    assert len(decoded) == 3


def test_the_survey_is_kept_until_the_photographs_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Tiles(path=write_photographs(tmp_path / "set", 3), size=32, share=0)
    first = source.items(SUFFIXES)
    with monkeypatch.context() as patch:
        patch.setattr(tile_survey, "survey_photograph", None)  # cannot be called
        again = source.items(SUFFIXES)
        assert (again.names, again.fingerprint) == (first.names, first.fingerprint)
        with pytest.raises(TypeError):
            Tiles(path=source.path, size=32, share=0, least_detail=1).items(SUFFIXES)
    write_photographs(tmp_path / "set", 4)
    assert len(source.items(SUFFIXES)) == 24


def test_flat_tiles_are_left_out_and_counted(tmp_path: Path) -> None:
    write_photographs(tmp_path, 3)
    pixels = np.asarray(Pillow.open(tmp_path / "01.png")).copy()
    pixels[:35] = 128  # the upper row of its tiles
    Pillow.fromarray(pixels).save(tmp_path / "01.png")
    items = Tiles(path=str(tmp_path), size=32, share=0).items(SUFFIXES)
    assert [name for name in items.names if name.startswith("01")] == [f"01.png at {x},35" for x in (2, 34, 66)]
    assert items.notes[-1] == "15 tiles of 32 px cut from 3 photographs; 3 flat or blurred ones left out"
    assert len(Tiles(path=str(tmp_path), size=32, share=0, least_detail=0).items(SUFFIXES)) == 18
    for k in range(3):
        Pillow.new("RGB", (100, 70)).save(tmp_path / f"{k:02d}.png")
    with pytest.raises(GanvasError, match="has 0 tiles of 32 px with enough detail: give sharper photographs, or set least_de"):
        Tiles(path=str(tmp_path), size=32, share=0).items(SUFFIXES)


def test_detail_is_the_mean_difference_of_neighbours_in_levels() -> None:
    ramp = np.add.outer(2 * np.arange(16), 3 * np.arange(16)).astype(np.uint8)
    for pixels in (ramp, np.stack([ramp] * 3, 2), ramp.astype(np.uint16) * 257):
        corners, details = measure_detail(pixels, 8)
        assert corners == [(0, 0), (8, 0), (0, 8), (8, 8)]
        np.testing.assert_allclose(details, 5.0, rtol=1e-5)


def test_no_photograph_is_in_both_parts(tmp_path: Path) -> None:
    source = Tiles(path=write_photographs(tmp_path, 20), size=32, share=0.2)
    train, held_out = source.items(SUFFIXES), source.held_out(SUFFIXES)
    assert held_out is not None
    train_files, held_out_files = ({name.split(" at ")[0] for name in items.names} for items in (train, held_out))
    assert (len(train_files), len(held_out_files), train_files & held_out_files) == (16, 4, set())
    assert train.fingerprint != held_out.fingerprint
    write_photographs(tmp_path, 25)  # others come: most of the choice stays
    later = source.held_out(SUFFIXES)
    assert later is not None
    assert len(held_out_files & {name.split(" at ")[0] for name in later.names}) >= 3


def test_a_test_part_takes_the_place_of_the_share(tmp_path: Path) -> None:
    for part, count in (("train", 4), ("test", 3)):
        write_photographs(tmp_path / part, count)
    source = Tiles(path=str(tmp_path), size=32)
    held_out = source.held_out(SUFFIXES)
    assert held_out is not None
    assert (len(source.items(SUFFIXES)), len(held_out)) == (24, 18)


def test_small_pictures_are_what_files_gives(tmp_path: Path) -> None:
    path = write_photographs(tmp_path, 5, (64, 40))
    source, files = Tiles(path=path, size=32), Files(path=path)
    items, plain = source.items(SUFFIXES), files.items(SUFFIXES)
    assert (items.names, items.fingerprint, items.title) == (plain.names, plain.fingerprint, plain.title)
    assert source.held_out(SUFFIXES) is None
    write_photographs(tmp_path / "large", 2)
    mixed = source.items(SUFFIXES)
    assert sum(" at " in name for name in mixed.names) in (6, 12)  # one large one may be held out
    assert mixed.notes[-1].endswith("taken whole")
    held_out = source.held_out(SUFFIXES)
    assert held_out is None or not set(mixed.names) & set(held_out.names)


def test_a_limit_takes_tiles_of_as_many_photographs_as_possible(tmp_path: Path) -> None:
    items = Tiles(path=write_photographs(tmp_path, 6), size=32, share=0, limit=12).items(SUFFIXES)
    assert len(items) == 12
    assert len({name.split(" at ")[0] for name in items.names}) == 6
    assert choose_evenly_spaced([(k, 0) for k in range(10)], 3) == [(0, 0), (3, 0), (6, 0)]


def test_what_cannot_be_cut_stays_whole_and_broken_files_are_named_as_ever(tmp_path: Path, capsys) -> None:
    write_photographs(tmp_path, 30)
    Pillow.fromarray(np.full((70, 100), 40000, np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "zz.png").write_bytes(b"no picture")
    items = Tiles(path=str(tmp_path), size=32, share=0).items(SUFFIXES)
    assert {name for name in items.names if " at " not in name} == {"deep.png", "zz.png"}
    data = prepare_dataset(items, Image(size=32, channels="rgb").fit(items), None)
    assert data.skipped_count == 1
    assert "zz.png is not an image that can be read" in capsys.readouterr().err


def test_settings_are_kept_as_json_and_checked() -> None:
    assert from_json(to_json(Tiles(path="photos", size=96))) == Tiles(path="photos", size=96)
    with pytest.raises(GanvasError, match="from 16 to 2048"):
        Tiles(path="photos", size=8)
