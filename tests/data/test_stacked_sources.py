"""Tables with several sources: which pixels come into which channel, the test part, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.data import Columns, Pairs, prepare_dataset, recognise_task
from ganvas.data.columns import ColumnsCodec
from ganvas.data.dataset import EncodedDataset
from ganvas.data.stacked_sources import convert_to_rgb, stack_pictures
from ganvas.errors import GanvasError
from ganvas.media import Image

SUFFIXES = Image().suffixes
MEDIUM = Columns(media={"x": Image(), "source": Image()})
ROWS = [f"p{k}.png,c{k}.png,t{k}.png" for k in range(6)]


def write_set(top: Path, rows: list[str], columns: str = "source,clothes,target", name: str = "pairs.csv") -> str:
    """Six people in RGB, gray clothes and targets, 24 x 16 px; each picture has one colour."""
    for k in range(6):
        Pillow.new("RGB", (24, 16), (10 + k, 20 + k, 30 + k)).save(top / f"p{k}.png")
        Pillow.new("L", (24, 16), 100 + k).save(top / f"c{k}.png")
        Pillow.new("RGB", (24, 16), (200 + k, 0, 0)).save(top / f"t{k}.png")
    (top / name).write_text("\n".join([columns, *rows]), encoding="utf-8")
    return str(top)


def encode(path: str) -> tuple[ColumnsCodec, EncodedDataset]:
    items = Pairs(path=path).items(SUFFIXES)
    codec = MEDIUM.fit(items)
    return codec, prepare_dataset(items, codec, None, True)


def test_three_columns_become_a_stack(tmp_path: Path) -> None:
    path = write_set(tmp_path, ROWS)
    assert (
        recognise_task(path, SUFFIXES).sentence == "6 pairs of pairs.csv, 24 x 16 RGB, sources: source + clothes (6 channels)"
    )
    codec, data = encode(path)
    assert codec.source_names == ("source", "clothes")
    assert codec.columns["source"].spec.shape == (6, 16, 24)
    batch = data.batch(0, 32)
    assert batch["source"].shape == (32, 6, 16, 24)
    stored = ((batch["source"] + 1) * 127.5).round()
    rows = ((batch["x"][:, 0, 0, 0] + 1) * 127.5).round() - 200
    assert len(set(rows.tolist())) > 2
    for channel, level in enumerate((10, 20, 30, 100, 100, 100)):
        assert (stored[:, channel] == (level + rows)[:, None, None]).all()


def test_the_order_of_columns_is_that_of_channels(tmp_path: Path) -> None:
    path = write_set(tmp_path, [f"p{k}.png,c{k}.png,p{5 - k}.png,t{k}.png" for k in range(6)], "source,Clothes,pose,target")
    codec, data = encode(path)
    assert codec.source_names == ("source", "clothes", "pose")
    assert data.columns["source"][1, 0, 0].tolist() == [11, 21, 31, 101, 101, 101, 14, 24, 34]


def test_a_second_table_is_the_test_part(tmp_path: Path) -> None:
    write_set(tmp_path, ROWS[4:], name="pairs_test.csv")
    path = write_set(tmp_path, ROWS[:4])
    assert recognise_task(path, SUFFIXES).sentence.endswith("(6 channels), 2 pairs in a test part")
    held_out = Pairs(path=path).held_out(SUFFIXES)
    assert held_out is not None
    assert list(held_out.names) == ["p4.png and c4.png and t4.png", "p5.png and c5.png and t5.png"]
    write_set(tmp_path, [",".join(np.array(row.split(","))[[0, 2]]) for row in ROWS], "source,target", "pairs_test.csv")
    with pytest.raises(
        GanvasError, match=r"pairs\.csv has the sources source \+ clothes, and pairs_test\.csv has source: give"
    ):
        Pairs(path=path).held_out(SUFFIXES)


def test_names_of_sources_change_the_data(tmp_path: Path) -> None:
    clothes = Pairs(path=write_set(tmp_path, ROWS)).items(SUFFIXES).fingerprint
    assert clothes != Pairs(path=write_set(tmp_path, ROWS, "source,pose,target")).items(SUFFIXES).fingerprint


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        ("source,clothes,target", "p0.png,,t0.png", r"has 'p0\.png,,t0\.png' for pair 7: a line holds 3 paths, source,clothes"),
        ("source,clothes,target", "p0.png,t0.png", r"for pair 7: a line holds 3 paths"),
        ("source,clothes,target", "p0.png,no.png,t0.png", r"names 1 file that .* lacks \(no\.png\): write paths relative"),
        (
            "source,clothes,target",
            "p0.png,small.png,t0.png",
            r"the source p0\.png of 24 x 16, the clothes small\.png of 8 x 8 px",
        ),
        (
            "source,source,target",
            "p0.png,c0.png,t0.png",
            "has the columns source,source,target: give each column a name of its",
        ),
        ("source,,target", "p0.png,c0.png,t0.png", "give each column a name without ="),
        ("source,target,clothes", "p0.png,c0.png,t0.png", "the first column is source, the last one is target"),
        ("p0.png,c0.png,t0.png", "p0.png,c0.png,t0.png", r"for pair 1: a line holds two paths.*name the columns in the first"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, columns: str, row: str, message: str) -> None:
    Pillow.new("L", (8, 8)).save(tmp_path / "small.png")
    path = write_set(tmp_path, [*ROWS, row], columns)
    with pytest.raises(GanvasError, match=message):
        recognise_task(path, SUFFIXES)


def test_no_way_back_to_several_pictures(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match="one picture cannot become several"):
        Pairs(path=write_set(tmp_path, ROWS), reverse=True).items(SUFFIXES)


def test_a_damaged_source_is_named(tmp_path: Path) -> None:
    path = write_set(tmp_path, ROWS)
    items = Pairs(path=path).items(SUFFIXES)
    Pillow.fromarray(np.zeros((16, 24), np.uint16)).save(tmp_path / "c3.png")
    with pytest.raises(GanvasError, match=r"has the clothes c3\.png, which has more than 8 bits: save it with 8 bits"):
        items[3]


def test_pictures_of_few_rows_are_refused(tmp_path: Path) -> None:
    """Their stack would be taken for one with its channels first."""
    path = write_set(tmp_path, ["low.png,low.png,t0.png"] * 2)
    Pillow.new("L", (16, 5)).save(tmp_path / "low.png")
    Pillow.new("L", (16, 5)).save(tmp_path / "t0.png")
    items = Pairs(path=path).items(SUFFIXES)
    with pytest.raises(GanvasError, match="is 5 px high: pictures of 2 sources are at least 6 px high"):
        items[0]


def test_data_with_other_sources_is_refused(tmp_path: Path) -> None:
    """As `evaluate --data` would score clothes as poses."""
    codec, _ = encode(write_set(tmp_path, ROWS))
    items = Pairs(path=write_set(tmp_path, ROWS, "source,pose,target")).items(SUFFIXES)
    with pytest.raises(GanvasError, match=r"sources source \+ pose, and the run was trained with source \+ clothes: give"):
        prepare_dataset(items, codec, None, True)


def test_transparency_becomes_white_and_depth_the_largest() -> None:
    rgba = np.zeros((4, 5, 4), np.uint8)
    rgba[..., 0], rgba[0, 0, 3], rgba[1, 0, 3] = 200, 255, 51
    assert convert_to_rgb("pose", rgba, False)[:3, 0].tolist() == [[200, 0, 0], [244, 204, 204], [255, 255, 255]]
    stack = stack_pictures({"source": rgba, "depth": np.full((4, 5), 1234, np.uint16)})
    assert (stack.dtype, stack.shape) == (np.uint16, (4, 5, 6))
    assert stack[0, 0].tolist() == [200 * 257, 0, 0, 1234, 1234, 1234]
    with pytest.raises(GanvasError, match="has a depth with 2 channels"):
        convert_to_rgb("depth", np.zeros((4, 5, 2), np.uint8), False)
