"""Tables of public categories and bounds: the codec knows nothing of the data, and a file of bounds says what it lacks."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from ganvas.configuration import from_json, to_json
from ganvas.data import read_frame
from ganvas.errors import GanvasError
from ganvas.media import BinColumn, CategoryColumn, PublicTable, TableCodec, read_bounds, write_bounds_template
from ganvas.media.table.columns import list_equal_edges

BOUNDS = """
target = "job"

[age]
lowest = 17
highest = 90

[pay]
edges = [0, 0.01, 10, 1000]
decimals = 2
missing = true

["born on"]
lowest = 1930-01-01
highest = 2009-12-31
bins = 8

[job]
categories = ["nurse", "smith"]

[children]
categories = [0, 1, 2]
missing = true

[id]
kind = "key"

[note]
kind = "text"
"""
ROWS = {
    "age": [17, 90, 40],
    "pay": [0.0, None, 999.99],
    "born on": pa.array(np.array(["1930-01-01", "2009-12-31", "1980-06-01"], "datetime64[D]"), pa.date32()),
    "job": ["nurse", "smith", "spy"],
    "children": [0, None, 7],
    "id": ["a", "b", "c"],
    "note": ["x", "y", "z"],
}


def write(folder: Path, text: str) -> Path:
    path = folder / "bounds.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def medium(tmp_path: Path) -> PublicTable:
    return read_bounds(write(tmp_path, BOUNDS))


def fit(medium: PublicTable, rows: dict[str, Any] = ROWS) -> TableCodec:
    return medium.fit(read_frame(pa.table(rows)))


def test_the_codec_depends_on_the_bounds_alone(medium: PublicTable) -> None:
    other_rows = ROWS | {"age": [30, 30, 30], "job": ["spy", None, "king"], "pay": [5.0, 6.0, 7.0], "children": [9, 9, 9]}
    assert fit(medium) == fit(medium, other_rows)
    assert from_json(to_json(medium)) == medium
    assert fit(medium).target == "job"


def test_rows_come_back_within_their_bins(medium: PublicTable) -> None:
    codec = fit(medium)
    stored = torch.from_numpy(codec.encode_block(pa.table(ROWS)))
    assert torch.equal(codec.store(codec.load(stored, None)), stored)
    rows = codec.decode(stored, seed=3)
    assert rows["job"].to_pylist() == ["nurse", "smith", "other"]
    assert rows["children"].to_pylist() == [0, None, None]  # a number has no word for the rest
    assert rows["pay"].to_pylist()[:2] == [0.0, None]
    assert 10 <= rows["pay"].to_pylist()[2] < 1000
    assert [value.year // 10 for value in rows["born on"].to_pylist()] == [193, 200, 198]
    assert rows["id"].to_pylist() == [1, 2, 3]
    assert rows["note"].null_count == 3
    assert [str(field.type) for field in rows.schema][:3] == ["int64", "double", "date32[day]"]


def test_whole_numbers_share_out_evenly() -> None:
    """74 ages in 32 bins: two or three a bin, and each age in exactly one."""
    column = BinColumn(name="age", type="int64", edges=list_equal_edges(17, 90, 32, 0))
    ages = np.arange(17, 91)
    sizes = np.bincount(column.encode(pa.array(ages)))
    assert len(sizes) == 32
    assert set(sizes) == {2, 3}
    codes = column.encode(pa.array(ages)).astype(np.int64)
    random = np.random.default_rng(0)
    drawn = [column.decode(codes, random.random(74), np.arange(74)).to_numpy() for _ in range(200)]
    assert np.array_equal(column.encode(pa.array(np.concatenate(drawn))), np.tile(codes, 200))
    counts = np.bincount(np.concatenate(drawn), minlength=91)[17:]
    assert np.abs(counts - 200).max() < 5 * np.sqrt(200)  # uniform within a bin: every age as often as another


def test_fewer_numbers_than_bins_have_a_bin_each() -> None:
    assert list_equal_edges(1, 3, 32, 0) == (1, 2, 3, 4)
    assert list_equal_edges(0, 0.2, 32, 1) == (0, 0.1, 0.2, 0.3)


def test_numbers_beyond_the_bounds_are_at_the_bounds() -> None:
    column = BinColumn(name="age", type="int64", edges=(0, 10, 20, 30))
    assert column.encode(pa.array([-5, 0, 9, 10, 29, 30, 1000])).tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert column.encode(pa.array([None, 5])).tolist() == [1, 0]  # in the middle where none may be missing
    assert column.encode(pa.array([np.nan, np.inf])).tolist() == [1, 1]


def test_nothing_is_known_of_frequencies(medium: PublicTable) -> None:
    codec = fit(medium)
    assert not codec.code_weights[:-2].any()  # but of the key and the text, which have one code
    for field in codec.spec.fields:
        assert len(set(field.shares)) <= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]\nlowest = 1", "give categories, or lowest and highest"),
        ("[a]\nlowest = 5\nhighest = 1", "lowest must be at most the highest"),
        ('[a]\nlowest = "?"\nhighest = 1', "lowest is still open"),
        ('[a]\ncategories = ["?"]', "categories is still open"),
        ("[a]\ncategories = []", "name them all"),
        ('[a]\ncategories = ["x", "x"]', "holds a value twice"),
        ('[a]\ncategories = ["x", 1]', "all be texts"),
        ("[a]\nedges = [0, 1, 1]", "rising"),
        ("[a]\nedges = [0, 0.5, 1]", "rising, with a number of 0 decimals in each bin"),
        ("[a]\nlowest = 0\nhighest = 2000-01-01", "all be numbers, all dates"),
        ("[a]\nlowest = 0\nhighest = 1\nbins = 0", "bins must be from 1"),
        ("[a]\nlowest = 0\nhighest = 1\nbins = 2.5", "bins must be a whole number"),
        ("[a]\nbin = 4", "no setting 'bin'"),
        ("a = 4", "this is no section"),
        ("[a", "is no TOML file"),
    ],
)
def test_refused_bounds_say_where_and_what(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(GanvasError, match=words) as refusal:
        read_bounds(write(tmp_path, text))
    assert "bounds.toml" in str(refusal.value)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"age": [1, 2], "other": ["a", "b"]}, "do not describe the column 'other'"),
        ({"job": ["a", "b"]}, "'age', which"),
    ],
)
def test_columns_that_only_one_side_has_are_refused(rows: dict[str, Any], words: str) -> None:
    columns = (
        BinColumn(name="age", type="int64", edges=(0, 10, 20)),
        CategoryColumn(name="job", type="string", values=("a",), shares=(0.0, 0.0), has_rest=True),
    )
    with pytest.raises(GanvasError, match=words):
        fit(PublicTable(columns=columns), rows | {"job": ["a", "b"]})


def test_without_bounds_there_is_no_codec() -> None:
    with pytest.raises(GanvasError, match="learn nothing about categories and bounds from the data"):
        fit(PublicTable())


def test_a_template_has_names_and_no_value_of_the_data(tmp_path: Path) -> None:
    values = {"city [1]": ["Xanadu", "Avalon"] * 30, "pay": list(np.linspace(71_234.5, 98_765.5, 60)), 'a "b"': [31_415] * 60}
    items = read_frame(pa.table(values))
    path = tmp_path / "new.toml"
    write_bounds_template(path, items.surveys, items.title)
    text = path.read_text(encoding="utf-8")
    assert list(tomllib.loads(text)) == list(values)
    assert not any(secret in text for secret in ("Xanadu", "Avalon", "71", "987", "31415", "31_415"))
    with pytest.raises(GanvasError, match="still open"):
        read_bounds(path)
