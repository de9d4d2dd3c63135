"""Windows of series as samples: what a codec keeps of them, what it must not keep, and what is written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
import torch

from ganvas.configuration import from_json, to_json
from ganvas.core import PlainSeries
from ganvas.data import prepare_dataset, read_frame
from ganvas.data.series import WindowCut, WindowItems, build_windows, order_rows
from ganvas.errors import GanvasError, SettingError
from ganvas.media import Series, SeriesCodec, Table
from ganvas.media.series.pieces import count_pieces, cut_intervals
from ganvas.media.series.plain import build_plain_series, find_window_rows
from ganvas.media.table.columns import NumberColumn
from ganvas.metrics.series import score_series_shapes, score_step_shapes

SHORT, LONG, WINDOW = 5, 60, 8


def draw_people(people: int = 30, seed: int = 0) -> pa.Table:
    """Of each person LONG visits, or SHORT ones. Person 3 alone has the dose 77.5 and the code "rare", in most visits."""
    random = np.random.default_rng(seed)
    parts = []
    for person in range(people):
        count = SHORT if person % 3 == 2 else LONG
        dose = np.where(random.random(count) < 0.5, 10.0, 20.0) if person != 3 else np.full(count, 77.5)
        parts.append(
            pa.table(
                {
                    "person": pa.array([f"P-{person:03d}"] * count),
                    "visit": np.arange(count),
                    "pulse": np.cumsum(random.standard_normal(count)) + 60,
                    "dose": dose,
                    "code": pa.array(["rare" if person == 3 else "a"] * (count // 2) + ["b"] * (count - count // 2)),
                    "sex": pa.array(["f" if person % 2 else "m"] * count),
                    "town": pa.array([f"Ulm {person}" if person < 5 else "Bonn"] * count),
                    "gap": pa.array(random.integers(0, 5, count), mask=random.random(count) < 0.3),
                }
            )
        )
    return pa.concat_tables(parts)


def cut(table: pa.Table, window: int = WINDOW, key: str | None = "person", time: str | None = "visit") -> WindowItems:
    items = build_windows(order_rows(read_frame(table, "visits"), key, time), WindowCut(window, 1), is_held_out=False)
    assert items is not None
    return items


@pytest.fixture(scope="module")
def items() -> WindowItems:
    return cut(draw_people())


@pytest.fixture(scope="module")
def codec(items: WindowItems) -> SeriesCodec:
    return Series().fit(items)


@pytest.fixture(scope="module")
def stored(items: WindowItems, codec: SeriesCodec) -> torch.Tensor:
    windows, rows = codec.encode_windows(items)
    return torch.from_numpy(windows)[torch.from_numpy(rows)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_settings_survive_json(codec: SeriesCodec) -> None:
    for value in (codec, Series(k=5, kinds={"dose": "category"}, places="step")):
        assert from_json(json.loads(json.dumps(to_json(value)))) == value


def test_all_windows_at_once_are_those_one_by_one_and_share_memory(
    items: WindowItems, codec: SeriesCodec, stored: torch.Tensor
) -> None:
    assert len(set(items.lengths.tolist())) == 2
    assert torch.equal(stored, torch.from_numpy(np.stack([codec.encode(items[i]) for i in range(len(items))])))
    data = prepare_dataset(items, codec, None, quiet=True)
    assert len(data) == len(items)
    rows, shorts = len(items.table), int((items.lengths < WINDOW).sum())
    whole = data.columns.whole["x"]  # type: ignore[attr-defined]
    assert whole.untyped_storage().nbytes() == 2 * stored.shape[2] * (rows + WINDOW * shorts)
    assert stored.nbytes > 4 * whole.untyped_storage().nbytes()
    assert torch.equal(data.columns["x"], stored)
    assert data.batch(seed=3, size=7)["x"].shape == (7, *codec.spec.shape)


@pytest.mark.parametrize("places", ["window", "step"])
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_store_undoes_load_wherever_values_lie(codec: SeriesCodec, stored: torch.Tensor, places: Any, seed: int | None) -> None:
    x = replace(codec, places=places).load(stored, None if seed is None else seeded(seed))
    assert tuple(x.shape[1:]) == codec.spec.shape == (WINDOW, sum(f.size for f in codec.spec.fields))
    assert torch.equal(codec.store(x), stored)


def test_common_values_are_restored_exactly(items: WindowItems, codec: SeriesCodec, stored: torch.Tensor) -> None:
    restored = codec.decode(stored, seed=4)
    real = pa.concat_tables([items[i] for i in range(len(items))])
    assert restored.schema.names == ["person", "step", "pulse", "dose", "code", "sex", "town", "gap"]
    for name in ("sex", "gap"):
        assert restored.column(name).to_pylist() == real.column(name).to_pylist()
    pulse = [table.column("pulse").to_numpy() for table in (real, restored)]
    low, high = codec.columns[0].lowest, codec.columns[0].highest  # type: ignore[attr-defined]
    assert np.abs(np.clip(pulse[0], low, high) - pulse[1]).max() < 0.5
    assert restored.column("step").to_pylist()[:9] == [*range(8), 0]


def test_steps_beyond_the_end_are_nothing(items: WindowItems, codec: SeriesCodec, stored: torch.Tensor) -> None:
    x = codec.load(stored, seeded())
    is_static = torch.tensor([f.is_static for f in codec.spec.fields for _ in range(f.size)])
    short = torch.from_numpy(items.lengths == SHORT)
    assert short.sum() >= 5
    over = x[short][:, SHORT:]
    assert (over[..., :-2][..., ~is_static[:-2]] == 0).all()
    assert (over[..., -2:] == torch.tensor([0.0, 1.0])).all()
    assert (x[:, :, is_static] == x[:, :1, is_static]).all()
    assert x[short][:, SHORT - 1, -2].eq(1).all()
    assert (codec.decode(stored[short]).column("step").to_numpy().max()) == SHORT - 1


def test_whatever_a_network_makes_statics_stay_and_what_is_over_stays_over(codec: SeriesCodec) -> None:
    x = 3 * torch.randn(200, *codec.spec.shape, generator=seeded())
    codes = codec.store(x).to(torch.int64)
    places = [k for k, column in enumerate(codec.columns) if column.name in codec.statics]
    assert len(places) == 2
    assert (codes[..., places] == codes[:, :1, places]).all()
    over = codes[..., -1]
    assert (over[:, 0] == 0).all()
    assert (over.diff(dim=1) >= 0).all()
    assert 0 < over.float().mean() < 1
    dynamic = [k for k in range(len(codec.columns)) if k not in places]
    assert (codes[..., dynamic][over == 1] == 0).all()
    assert torch.equal(codec.store(codec.load(codec.store(x), None)), codec.store(x))
    assert len(codec.decode(codec.store(x))) == int((over == 0).sum())


def test_a_window_of_a_seed_is_always_the_same(codec: SeriesCodec, stored: torch.Tensor) -> None:
    whole = codec.decode(stored[:20], seed=3)
    part = codec.decode(stored[12:15], seed=3, start=12)
    starts, lengths = find_window_rows(whole)
    assert part.equals(whole.slice(int(starts[12]), int(lengths[12:15].sum())))
    assert not codec.decode(stored[:20], seed=4).equals(whole)
    assert whole.column("person")[0].as_py() == "P-001"  # in the form of the old keys, and counted


def test_equal_values_are_equal_for_a_network_within_a_window_and_ranks_are_uniform() -> None:
    random = np.random.default_rng(0)
    value = np.repeat(random.integers(0, 30, 300), 4).astype(np.float64)
    codec = Series().fit(items := cut(pa.table({"value": value}), key=None, time=None))
    stored = torch.from_numpy(np.stack([codec.encode(items[i]) for i in range(len(items))]))
    is_equal = stored.to(torch.int32)[:, 1:, 0] == stored.to(torch.int32)[:, :-1, 0]
    steps = {places: replace(codec, places=places).load(stored, seeded()).diff(dim=1)[..., 0] for places in ("window", "step")}
    assert (steps["window"][is_equal] == 0).all()
    assert (steps["window"][~is_equal] != 0).all()
    assert (steps["step"][is_equal] != 0).float().mean() > 0.99
    ranks = torch.special.ndtr(codec.load(stored, seeded())).flatten().sort().values
    assert (ranks - torch.linspace(0, 1, len(ranks))).abs().max() < 0.03


def measure_step_shape(value: np.ndarray, pieces: int) -> tuple[float, float]:
    items = cut(pa.table({"value": value}), window=24, key=None, time=None)
    codec = Series(pieces=pieces).fit(items)
    real = build_plain_series(codec, items.table, items.starts, items.lengths)
    windows, rows = codec.encode_windows(items)
    table = codec.decode(torch.from_numpy(windows)[torch.from_numpy(rows)])
    fake = build_plain_series(codec, table, *find_window_rows(table))
    return score_series_shapes(real, fake)["value"], score_step_shapes(real, fake)["value"]


def test_pieces_keep_the_steps_of_a_slow_series() -> None:
    """What all values are new to: a price. Intervals of ten rows lose its steps, and their pieces do not."""
    price = np.cumsum(np.random.default_rng(0).standard_normal(2000)) + np.linspace(0, 300, 2000)
    shape, steps = measure_step_shape(price, pieces=1)
    assert shape > 0.98
    assert steps < 0.85
    fine_shape, fine_steps = measure_step_shape(price, pieces=32)
    assert fine_shape > 0.98
    assert fine_steps > 0.97


def test_pieces_add_nothing_that_the_codec_did_not_know() -> None:
    values = pa.table({"value": np.random.default_rng(0).gamma(2, 9, 3000).round(1), "x": np.arange(3000) % 7})
    codec = Table().fit(read_frame(values))
    column = codec.columns[0]
    assert isinstance(column, NumberColumn)
    fine = cut_intervals(column, 32)
    assert isinstance(fine, NumberColumn)
    assert len(fine.points) == count_pieces(column, 32).sum() > len(column.points)
    assert (np.diff(fine.edges) > 0).all()
    assert (np.diff(fine.ranks) > 0).all()
    assert (fine.lowest, fine.highest) == (column.lowest, column.highest)
    assert set(column.edges) <= {round(e, 12) for e in fine.edges} | set(fine.edges)
    assert {p for p in fine.points if p is not None} == {p for p in column.points if p is not None}
    np.testing.assert_allclose(np.interp(column.edges, fine.edges, fine.ranks[1:-1]), column.ranks[1:-1])
    assert cut_intervals(column, 1) == column
    numbers = values.column("value").combine_chunks()
    shares = [measure_restored_share(c, numbers) for c in (column, fine)]
    assert shares[0] < 0.5
    assert shares[1] > 0.98  # a piece for each tenth


def measure_restored_share(column: NumberColumn, numbers: pa.Array) -> float:
    """Of the numbers that lie in intervals, the share that the middle of their code is."""
    codes, values = column.encode(numbers).astype(np.int64), numbers.to_numpy()
    in_interval = np.array([point is None for point in column.points])[codes]
    in_interval &= (values > column.lowest) & (values < column.highest)
    return float((column.decode(codes, np.full(len(codes), 0.5), codes).to_numpy() == values)[in_interval].mean())


def test_a_value_that_fewer_than_k_series_hold_is_kept_nowhere(codec: SeriesCodec) -> None:
    text = json.dumps(to_json(codec))
    for secret in ("77.5", '"rare"', "Ulm", "P-003"):
        assert secret not in text
    assert '"a"' in text
    dose = next(column for column in codec.columns if column.name == "dose")
    assert isinstance(dose, NumberColumn)
    assert dose.spikes == (10.0, 20.0)
    rows = Series().fit(cut(draw_people(12)))  # too few to count people: rows count
    for kept in ("77.5", '"rare"', "P-003"):
        assert kept in json.dumps(to_json(rows))


def test_few_series_are_learnt_as_a_static_and_new_ones_have_numbers() -> None:
    codec = Series().fit(cut(draw_people(6)))
    assert codec.statics == ("sex", "town", "person")
    assert [f.name for f in codec.spec.fields if f.is_static] == ["person", "sex", "town"]
    assert codec.schema.names[:3] == ["series", "step", "person"]


def test_columns_with_the_names_of_ours() -> None:
    table = pa.table({"step": np.arange(60.0) ** 2, "series": np.arange(60) % 7, "end": ["x", "y"] * 30})
    codec = Series().fit(cut(table, key=None, time=None))
    assert codec.schema.names == ["series_", "step_", "step", "series", "end"]


def test_written_tables_are_long_and_go_on(codec: SeriesCodec, stored: torch.Tensor, tmp_path: Path) -> None:
    note = {"Generator": "ganvas", "Seed": "7"}
    codec.write(stored[:3], tmp_path, 0, note)
    codec.write(stored[3:5], tmp_path, 3, note)
    table = pyarrow.csv.read_csv(tmp_path / "samples.csv")
    assert table.column("person").to_pylist() == codec.decode(stored[:5], seed=7).column("person").to_pylist()
    assert json.loads((tmp_path / "PROVENANCE.json").read_text()) == note


def test_a_preview_has_a_row_for_each_window(codec: SeriesCodec, stored: torch.Tensor) -> None:
    heights = [codec.preview(stored[:n]).size[1] for n in (1, 2, 6, 20)]
    assert heights[0] < heights[1] < heights[2] == heights[3]
    colours = codec.preview(stored[:2]).getcolors(10_000)
    assert (31, 90, 160) in [colour for _, colour in colours]  # type: ignore[misc]


def test_real_and_decoded_windows_look_alike_to_scores(items: WindowItems, codec: SeriesCodec, stored: torch.Tensor) -> None:
    real = build_plain_series(codec, items.table, items.starts, items.lengths)
    table = codec.decode(stored)
    fake = build_plain_series(codec, table, *find_window_rows(table))
    assert isinstance(real, PlainSeries)
    assert (real.names, real.kinds, real.lengths.tolist()) == (fake.names, fake.kinds, fake.lengths.tolist())
    assert min(score_series_shapes(real, fake).values()) > 0.95
    assert min(score_step_shapes(real, fake).values()) > 0.95


def test_what_is_refused(items: WindowItems, codec: SeriesCodec) -> None:
    with pytest.raises(GanvasError, match="holds no time series: give a table, and the `window`"):
        Series().fit(read_frame(draw_people()))
    with pytest.raises(GanvasError, match=r"has \d+ rows: at least 4000 are needed, or a smaller k"):
        Series(k=2000).fit(items)
    with pytest.raises(SettingError, match="kinds"):
        Series(kinds={"puls": "number"}).fit(items)
    with pytest.raises(GanvasError, match="no column to learn"):
        Series(kinds=dict.fromkeys(("pulse", "dose", "code", "gap"), "text")).fit(items)
    with pytest.raises(GanvasError, match="has windows of 9 rows, and this codec of 8"):
        codec.encode_windows(cut(draw_people(), window=9))
    with pytest.raises(GanvasError, match="no window of a series"):
        codec.encode(b"text")
    with pytest.raises(GanvasError, match="has 9 rows, and a window 8"):
        codec.encode(items.table.slice(0, 9))
    with pytest.raises(GanvasError, match="lacks the column 'pulse'"):
        codec.encode(items[0].drop_columns(["pulse"]))
    with pytest.raises(SettingError):
        Series(pieces=33)
    with pytest.raises(SettingError):
        Series(k=0)
