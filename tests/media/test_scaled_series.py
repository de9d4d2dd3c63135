"""Min–max scaling of windows: what networks see, that all of it can be undone, and what has no range."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from ganvas.configuration import from_json, to_json
from ganvas.data import read_frame
from ganvas.data.series import WindowCut, WindowItems, build_windows, order_rows
from ganvas.media import ScaledCodec, ScaledSeries, Series
from ganvas.media.series.scaling import MARGIN, ColumnScale, WindowRange, measure_windows
from small_recipes import small_series

WINDOW = 5


def cut(table: Any, key: str | None = "room", time: str | None = "hour") -> WindowItems:
    items = build_windows(order_rows(read_frame(table), key, time), WindowCut(WINDOW, 1), is_held_out=False)
    assert items is not None
    return items


def fit(table: Any, per_window: bool = False, key: str | None = "room", k: int = 10) -> tuple[ScaledCodec, torch.Tensor]:
    items = cut(table, key, "hour" if key else None)
    codec = ScaledSeries(series=Series(k=k, known_share=0.0), per_window=per_window).fit(items)
    return codec, torch.from_numpy(np.stack([codec.encode(items[i]) for i in range(len(items))]))


@pytest.fixture(scope="module", params=[False, True], ids=["column", "window"])
def fitted(request: pytest.FixtureRequest) -> tuple[ScaledCodec, torch.Tensor]:
    return fit(small_series(), request.param)


def find_places(codec: ScaledCodec) -> dict[str, int]:
    """Where each field begins in x."""
    starts = np.cumsum([0, *(field.size for field in codec.spec.fields)])
    return {field.name: int(start) for field, start in zip(codec.spec.fields, starts, strict=False)}


def test_x_lies_from_0_to_1_and_store_undoes_load(fitted: tuple[ScaledCodec, torch.Tensor]) -> None:
    codec, stored = fitted
    x = codec.load(stored, torch.Generator())
    assert (x.min(), x.max()) == (0, 1)
    assert tuple(x.shape[1:]) == codec.spec.shape
    assert torch.equal(codec.store(x), stored)
    assert torch.equal(codec.store(codec.load(stored, None)), stored)
    assert from_json(json.loads(json.dumps(to_json(codec)))) == codec


def test_fields_name_the_ranges_of_a_window() -> None:
    names = {per_window: [f.name for f in fit(small_series(), per_window)[0].spec.fields] for per_window in (False, True)}
    assert names[False] == ["floor", "warmth.value", "power", "power.value", "is_open", "end"]
    assert [name for name in names[True] if name not in names[False]] == [
        "warmth.middle", "warmth.reach", "power.middle", "power.reach",
    ]  # fmt: skip
    fields = {field.name: field for field in fit(small_series(), per_window=True)[0].spec.fields}
    assert {name: field.scales for name, field in fields.items() if field.scales} == {
        f"{name}.{end}": f"{name}.value" for name in ("warmth", "power") for end in ("middle", "reach")
    }
    assert [name for name, field in fields.items() if field.is_static and not field.scales] == ["floor"]
    assert [name for name, field in fields.items() if field.is_end] == ["end"]
    assert fields["power.value"].where == ("power", 0)


def test_numbers_are_scaled_by_their_column_then_by_their_window() -> None:
    table = pa.table({"warmth": np.arange(60.0) ** 2})
    once, stored = fit(table, key=None, k=1)
    warmth = once.decode(stored).column("warmth").to_numpy().reshape(-1, WINDOW)
    places = torch.from_numpy((warmth - warmth.min()) / np.ptp(warmth)).float()
    assert torch.allclose(once.load(stored, None)[..., 0], places)
    twice, _ = fit(table, per_window=True, key=None, k=1)
    value, middle, reach = twice.load(stored, None).unbind(2)
    low, high = places[:, :1], places[:, -1:]  # the series rises
    assert torch.allclose(middle, ((low + high) / 2).expand(-1, WINDOW))
    assert torch.allclose(reach, ((high - low) / 2 + MARGIN).expand(-1, WINDOW), atol=1e-6)
    assert torch.allclose(value, (places - low + MARGIN) / (high - low + 2 * MARGIN), atol=1e-4)
    assert (value[:, 0] > 0).all()


def test_constant_and_missing_windows_have_a_range() -> None:
    """Public code of DoppelGANger divides 0 by 0 there unless its margin is kept."""
    values = torch.tensor([[0.5, 0.5, torch.nan], [torch.nan] * 3, [0.1, 0.3, 0.9]], dtype=torch.float64)
    is_there = ~values.isnan() & torch.tensor([True, True, False])
    middle, reach = measure_windows(values, is_there)
    assert torch.allclose(middle, torch.tensor([[0.5], [0.0], [0.2]], dtype=torch.float64))
    assert torch.allclose(reach, torch.tensor([[0.0], [0.0], [0.1]], dtype=torch.float64) + MARGIN)
    scaled = WindowRange(middle, reach).scale(values)
    assert scaled[0, :2].tolist() == [0.5, 0.5]
    assert torch.allclose(WindowRange(middle, reach).restore(scaled), values, equal_nan=True)


def test_a_number_becomes_the_nearest_that_a_column_holds() -> None:
    scale = ColumnScale(places=np.array([0.0, 1.0, 0.25, np.nan]), order=np.array([0, 2, 1]))
    places = np.array([-0.5, 0.1, 0.2, 0.6, 0.7, 3.0])
    assert scale.find_codes(places).tolist() == [0, 0, 2, 2, 1, 1]


def test_statics_are_means_and_the_largest_share_says_missing(fitted: tuple[ScaledCodec, torch.Tensor]) -> None:
    codec, stored = fitted
    places, x = find_places(codec), codec.load(stored, None).clone()
    x[..., places["floor"] : places["floor"] + 2] = torch.tensor([[0.9, 0.1]] * 2 + [[0.4, 0.6]] * 3)
    x[..., places["power"] : places["power"] + 2] = torch.tensor([0.3, 0.7])
    table = codec.decode(codec.store(x))
    assert len(set(table.column("floor").to_pylist())) == 1
    assert table.column("power").null_count == len(table)


def test_what_is_over_is_nothing_but_statics(fitted: tuple[ScaledCodec, torch.Tensor]) -> None:
    codec, stored = fitted
    x, is_over = codec.load(stored, None), stored[..., -1] == 1
    assert 0 < is_over.float().mean() < 0.5
    is_static = torch.tensor([f.is_static for f in codec.spec.fields for _ in range(f.size)])
    assert (x[is_over][:, ~is_static][:, :-2] == 0).all()
    assert (x[is_over][:, -2:] == torch.tensor([0.0, 1.0])).all()
    assert torch.equal(x[:, :, is_static], x[:, :1, is_static].expand(-1, WINDOW, -1))


def test_the_stored_form_is_that_of_the_plain_codec(fitted: tuple[ScaledCodec, torch.Tensor]) -> None:
    codec, stored = fitted
    assert codec.decode(stored, seed=3).equals(codec.base.decode(stored, seed=3))
    assert codec.base == replace(codec, per_window=not codec.per_window).base
    assert codec.read_plain_series(stored).names == codec.base.read_plain_series(stored).names
