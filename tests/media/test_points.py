"""Points: rows in, rows out, and a picture whose axes do not move."""

import json

import numpy as np
import pytest
import torch

from ganvas.data.items import build_array_items
from ganvas.errors import GanvasError
from ganvas.media import Points, PointsCodec


def rows(values):
    return build_array_items(np.asarray(values), None, "points.csv", "f", "points.csv")


def test_a_row_becomes_float32():
    found = PointsCodec(dim=2).encode(np.array([1, -2]))
    assert found.dtype == np.float32
    assert found.tolist() == [1.0, -2.0]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (b"1,2", "is a file, not a row of numbers"),
        (np.zeros(3), "has 3 numbers, not 2: set `dim` of Points to 3"),
        (np.zeros((2, 2)), r"array of shape \(2, 2\)"),
        (np.array(["a", "b"]), "not a row of numbers"),
        (np.array([1.0, np.nan]), "is not finite: 1.0, nan"),
        (np.array([1.0, 1e300]), "is not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_is_no_point_is_refused(item, message):
    with pytest.raises(GanvasError, match=message):
        PointsCodec(dim=2).encode(item)


def test_fit_wants_the_right_dimension_and_finds_the_extent():
    assert Points().fit(rows([[1.0, -4.0], [np.nan, 0.0]])) == PointsCodec(dim=2, extent=6.0)
    assert Points(dim=3).fit(rows(np.zeros((2, 3)))) == PointsCodec(dim=3, extent=1.5)
    with pytest.raises(GanvasError, match=r"a sample of points\.csv has 3 numbers, not 2: set `dim` of Points to 3"):
        Points().fit(rows(np.zeros((2, 3))))


def test_encoding_all_at_once_leaves_bad_rows_to_encode():
    codec = PointsCodec(dim=2)
    good = np.arange(6.0).reshape(3, 2)
    found = codec.encode_all(good)
    assert found is not None
    assert (found == np.stack([codec.encode(r) for r in good])).all()
    assert codec.encode_all(np.array([[0.0, np.inf]])) is None
    assert codec.encode_all(np.zeros((3, 3))) is None


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_preview_shows_points_where_they_are(dim):
    codec = PointsCodec(dim=dim, extent=2.0)
    empty = np.asarray(codec.preview(torch.full((1, dim), 99.0))).astype(int)
    found = np.asarray(codec.preview(torch.tensor([[1.0] * dim, [float("nan")] * dim]))).astype(int)
    assert found.shape == (480, 480, 3)
    y, x = np.argwhere(np.abs(found - empty).sum(2) > 100).mean(0)
    assert x == pytest.approx(360, abs=1.5)
    assert y == pytest.approx(120 if dim > 1 else 240, abs=1.5)


def test_written_points_come_back_exactly_and_later_ones_are_added(tmp_path):
    codec = PointsCodec(dim=2)
    stored = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    codec.write(stored, tmp_path, 0, {"Generator": "ganvas"})
    assert codec.write(stored, tmp_path, 0, {"Generator": "ganvas"}) == [tmp_path / "samples.csv"]
    codec.write(stored + 1, tmp_path, 5, {"Generator": "ganvas"})
    lines = (tmp_path / "samples.csv").read_text().splitlines()
    assert lines[0] == "x0,x1"
    found = np.loadtxt(lines[1:], delimiter=",").astype(np.float32)
    assert (found == torch.cat([stored, stored + 1]).numpy()).all()
    assert json.loads((tmp_path / "PROVENANCE.json").read_text()) == {"Generator": "ganvas"}
