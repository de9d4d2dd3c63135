"""Tables as samples: what a codec keeps of a table, what it must not keep, and what is written."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch

from ganvas.configuration import from_json, to_json
from ganvas.data import Rows, prepare_dataset, read_frame
from ganvas.errors import GanvasError, SettingError
from ganvas.media import Table, TableCodec, write_table_file
from ganvas.media.table import chance
from ganvas.media.table.columns import CategoryColumn, ConstantColumn, DateColumn, KeyColumn, NumberColumn

N = 20_000


def draw_table(n: int = N) -> pa.Table:
    """One column of each kind, and numbers of each shape."""
    random = np.random.default_rng(0)
    zero_inflated = np.where(random.random(n) < 0.6, 0.0, np.round(random.lognormal(3, 1, n), 2))
    hours = np.where(random.random(n) < 0.4, 40, random.integers(1, 99, n))
    days = np.datetime64("2020-01-01", "s") + (random.integers(0, 900, n) * 86_400).astype("timedelta64[s]")
    is_missing = random.random(n) < 0.25
    return pa.table(
        {
            "id": pa.array(np.arange(n) + 100),
            "normal": random.standard_normal(n),
            "money": zero_inflated,
            "hours": pa.array(hours, pa.int32()),
            "salary": pa.array(random.integers(10, 400, n) * 100),
            "gaps": pa.array(random.gamma(2, 2, n), mask=is_missing),
            "day": pa.array(days, pa.timestamp("ms")),
            "moment": pa.array(days + random.integers(0, 86_400, n).astype("timedelta64[s]"), pa.timestamp("ns", "UTC")),
            "born": pa.array(days.astype("datetime64[D]"), pa.date32()),
            "city": pa.array(np.array(["Ulm", "Bonn", "Kiel"])[random.integers(0, 3, n)]),
            "is_new": pa.array(random.random(n) < 0.1),
            "price": pa.array(np.round(random.random(n) * 9, 2)).cast(pa.decimal128(10, 2), safe=False),
            "note": pa.array([f"a long remark about row {i}" for i in range(n)]),
            "currency": pa.array(["EUR"] * n),
        }
    )


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return draw_table()


@pytest.fixture(scope="module")
def codec(table: pa.Table) -> TableCodec:
    return Table().fit(read_frame(table))


@pytest.fixture(scope="module")
def stored(table: pa.Table, codec: TableCodec) -> torch.Tensor:
    return torch.from_numpy(codec.encode_block(table))


@pytest.fixture(scope="module")
def decoded(codec: TableCodec, stored: torch.Tensor) -> pa.Table:
    x = codec.load(stored, torch.Generator().manual_seed(0))
    return codec.decode(codec.store(x), seed=1)


def measure_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of two distribution functions (Kolmogorov and Smirnov)."""
    places = np.sort(np.concatenate([a, b]))
    shares = [np.searchsorted(np.sort(side), places, "right") / len(side) for side in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def restore(codec: TableCodec, rows: pa.Table) -> pa.Table:
    """The rows as they are decoded from their stored form."""
    return codec.decode(torch.from_numpy(codec.encode_block(rows)))


def list_numbers(column: pa.ChunkedArray) -> np.ndarray:
    column = column.drop_null()
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.float64(), safe=False).to_numpy()


def test_kinds_and_fields(codec: TableCodec) -> None:
    kinds = {column.name: type(column) for column in codec.columns}
    assert kinds == {
        "id": KeyColumn, "normal": NumberColumn, "money": NumberColumn, "hours": NumberColumn, "salary": NumberColumn,
        "gaps": NumberColumn, "day": DateColumn, "moment": DateColumn, "born": DateColumn, "city": CategoryColumn,
        "is_new": CategoryColumn, "price": NumberColumn, "note": ConstantColumn, "currency": ConstantColumn,
    }  # fmt: skip
    sizes = {field.name: (field.size, field.kind) for field in codec.spec.fields}
    assert sizes["money"] == (2, "categorical")  # zero and the rest
    assert sizes["gaps"] == (2, "categorical")  # the rest and missing
    assert sizes["hours"] == (2, "categorical")
    assert sizes["city"] == (3, "categorical")
    assert sizes["normal.rank"] == (1, "continuous")
    assert "normal" not in sizes
    assert codec.spec.shape == (sum(size for size, _ in sizes.values()),)


@pytest.mark.parametrize("name", ["normal", "money", "hours", "salary", "gaps", "day", "moment", "born", "price"])
def test_marginals_are_kept(name: str, table: pa.Table, decoded: pa.Table) -> None:
    assert measure_distance(list_numbers(table[name]), list_numbers(decoded[name])) < 0.01
    assert table[name].null_count == decoded[name].null_count


def test_types_and_names_are_kept(table: pa.Table, decoded: pa.Table) -> None:
    assert decoded.schema.names == table.schema.names
    assert [str(t) for t in decoded.schema.types] == [str(t) for t in table.schema.types]


def test_values_stay_on_their_grid(table: pa.Table, decoded: pa.Table) -> None:
    """Whole numbers, cents, hundreds, days and seconds; nothing lies beyond the data."""
    assert (np.mod(list_numbers(decoded["salary"]), 100) == 0).all()
    money = list_numbers(decoded["money"])
    assert np.array_equal(np.round(money, 2), money)
    assert (money == 0).mean() == pytest.approx((list_numbers(table["money"]) == 0).mean())
    assert (np.mod(list_numbers(decoded["day"]), 86_400_000) == 0).all()
    assert (np.mod(list_numbers(decoded["moment"]), 1e9) == 0).all()
    for name in ("normal", "money", "hours", "moment"):
        low, high = list_numbers(table[name]).min(), list_numbers(table[name]).max()
        assert low <= list_numbers(decoded[name]).min()
        assert list_numbers(decoded[name]).max() <= high


def test_categories_and_constants_are_exact(table: pa.Table, decoded: pa.Table) -> None:
    for name in ("city", "is_new", "currency"):
        assert decoded[name].equals(table[name])


def test_keys_are_new_and_unique_and_texts_are_empty(decoded: pa.Table, codec: TableCodec, stored: torch.Tensor) -> None:
    assert decoded["id"].to_pylist() == list(range(1, N + 1))
    assert codec.decode(stored[:3], start=5)["id"].to_pylist() == [6, 7, 8]
    assert decoded["note"].null_count == N
    assert not stored[:, [0, 12]].long().any()  # a cache holds neither


@pytest.mark.parametrize(
    ("keys", "made"),
    [
        ([f"CUST-{i:05}" for i in range(400, 460)], ["CUST-00001", "CUST-00002"]),
        ([f"R{i}" for i in range(90, 150)], ["R1", "R2"]),
        ([f"{i:x}z" for i in range(60)], ["1", "2"]),
        ([f"00000000-0000-4000-8000-{i:012}" for i in range(60)], None),
    ],
)
def test_text_keys_keep_their_form(keys: list[str], made: list[str] | None) -> None:
    codec = Table().fit(read_frame(pa.table({"key": keys, "n": [1, 2, 3] * 20})))
    found = codec.decode(torch.zeros(2, 2, dtype=torch.uint16))["key"].to_pylist()
    assert not set(found) & set(keys)
    assert found == made if made else all(len(key) == 36 for key in found) and len(set(found)) == 2


def test_json_restores_the_codec(codec: TableCodec, stored: torch.Tensor) -> None:
    restored = from_json(json.loads(json.dumps(to_json(codec))))
    assert restored == codec
    assert restored.decode(stored[:50], 3).equals(codec.decode(stored[:50], 3))


def test_rows_and_blocks_are_encoded_alike(table: pa.Table, codec: TableCodec, stored: torch.Tensor) -> None:
    items = read_frame(table)
    for i in range(120):
        np.testing.assert_array_equal(codec.encode(items[i]), stored[i].numpy())
    data = prepare_dataset(items, codec, None, quiet=True)
    assert torch.equal(data.columns["x"], stored)
    assert data.columns["x"].dtype == torch.uint16


def test_a_cached_set_is_encoded_by_blocks(table: pa.Table, codec: TableCodec, stored: torch.Tensor, tmp_path: Path) -> None:
    one_by_one: list[Any] = []
    items = read_frame(table)
    items.__class__ = type("Watched", (type(items),), {"__getitem__": lambda self, i: one_by_one.append(i)})
    data = prepare_dataset(items, codec, tmp_path, quiet=True)
    assert torch.equal(data.columns["x"], stored)
    assert not one_by_one
    assert np.load(next(tmp_path.glob("*/stored.npy"))).nbytes == 2 * stored.numel()


def test_normal_scores_are_normal_and_bounded(codec: TableCodec, stored: torch.Tensor) -> None:
    names = [name for field in codec.spec.fields for name in [field.name] * field.size]
    x = codec.load(stored, torch.Generator().manual_seed(0))
    score = x[:, names.index("normal.rank")].double()
    assert score.abs().max() < 3.3
    assert abs(score.mean()) < 0.01
    assert score.std() == pytest.approx(1, abs=0.02)
    assert measure_distance(torch.special.ndtr(score).numpy(), (np.arange(N) + 0.5) / N) < 0.005
    money, is_rest = x[:, names.index("money.rank")], x[:, names.index("money") + 1] == 1
    assert not money[~is_rest].any()
    assert money[is_rest].std() == pytest.approx(1, abs=0.03)


def test_places_within_an_interval_differ_by_row_column_and_seed(codec: TableCodec, stored: torch.Tensor) -> None:
    names = [name for field in codec.spec.fields for name in [field.name] * field.size]
    same_rows = stored[:1].repeat(4000, 1)
    x = codec.load(same_rows, torch.Generator().manual_seed(0))
    assert len(x[:, names.index("salary.rank")].unique()) > 3000
    again = codec.load(same_rows, torch.Generator().manual_seed(1))
    assert not torch.equal(again, x)
    assert torch.equal(codec.load(same_rows, torch.Generator().manual_seed(0)), x)
    both = torch.stack([x[:, names.index(f"{name}.rank")] for name in ("normal", "salary")])
    assert abs(torch.corrcoef(both)[0, 1]) < 0.06


def test_a_decoded_row_follows_from_its_number_and_the_seed(codec: TableCodec, stored: torch.Tensor) -> None:
    whole = codec.decode(stored[:100], seed=4)
    assert codec.decode(stored[60:100], seed=4, start=60).equals(whole.slice(60))
    assert not codec.decode(stored[:100], seed=5).equals(whole)


def test_every_score_is_decoded(codec: TableCodec) -> None:
    """What a generator may make: any numbers at all."""
    x = 5 * torch.randn(500, *codec.spec.shape, generator=torch.Generator().manual_seed(0))
    assert codec.decode(codec.store(x)).num_rows == 500


def test_written_files_are_as_the_data_was(tmp_path: Path) -> None:
    rows = "".join(f'{1 + i % 28:02}.03.2024,{i % 7}.{i % 4}0,"a, ""{i % 3}""",{"" if i % 5 else i % 2}\n' for i in range(4000))
    (tmp_path / "a.csv").write_text("day,price,text,gap\n" + rows)
    items = Rows(path=str(tmp_path / "a.csv")).items(())
    codec = Table().fit(items)
    stored = prepare_dataset(items, codec, None, quiet=True).columns["x"]
    note = {"Generator": "ganvas", "Seed": "7"}
    codec.write(stored[:30], tmp_path / "out", 0, note)
    codec.write(stored[30:], tmp_path / "out", 30, note)
    lines, originals = (
        (tmp_path / "out" / "samples.csv").read_text().splitlines(),
        (tmp_path / "a.csv").read_text().splitlines(),
    )
    assert lines == originals
    assert json.loads((tmp_path / "out" / "PROVENANCE.json").read_text()) == note


def test_tables_are_written_by_suffix(codec: TableCodec, stored: torch.Tensor, tmp_path: Path) -> None:
    rows = codec.decode(stored[:40])
    note = {"Generator": "ganvas"}
    paths = write_table_file(rows, tmp_path / "a.parquet", note)
    assert pyarrow.parquet.read_table(paths[0])["moment"].equals(rows["moment"])
    assert json.loads(pyarrow.parquet.read_schema(paths[0]).metadata[b"ganvas"]) == note
    assert read_back(write_table_file(rows, tmp_path / "a.csv", note)[0]) == rows["hours"].to_pylist()
    assert json.loads(paths[1].read_text()) == note
    with pytest.raises(GanvasError, match=r"written as \.csv, \.tsv"):
        write_table_file(rows, tmp_path / "a.xlsx", note)


def read_back(path: Path) -> list[int]:
    return Rows(path=str(path)).items(()).sample["hours"].to_pylist()


def test_previews_show_samples_before_data(codec: TableCodec, stored: torch.Tensor) -> None:
    picture = codec.preview(stored[:2000])
    colours = picture.getcolors(1 << 20)
    assert colours is not None
    assert (31, 90, 160) in {colour for _, colour in colours}
    other = codec.preview(torch.zeros_like(stored[:10]))
    assert other.size == picture.size
    assert other.tobytes() != picture.tobytes()


def test_rare_values_become_the_rest() -> None:
    values = ["a"] * 50 + ["b"] * 40 + ["c"] * 5 + ["d"] * 5
    items = read_frame(pa.table({"v": values}))
    codec, reasons = Table().fit_with_reasons(items)
    assert restore(codec, items.sample)["v"].to_pylist() == ["a"] * 50 + ["b"] * 40 + ["other"] * 10
    assert "the rest are 2 of its values, held by 10 rows" in reasons[0]
    assert codec.columns[0].shares == (0.5, 0.4, 0.1)  # type: ignore[union-attr]
    few = Table(most_categories=1).fit(items)
    assert few.columns[0].values == ("a",)  # type: ignore[union-attr]
    assert Table(k=1).fit(items).columns[0].values == ("a", "b", "c", "d")  # type: ignore[union-attr]


def test_high_cardinality_costs_at_most_so_many_numbers() -> None:
    random = np.random.default_rng(0)
    items = read_frame(pa.table({"v": pa.array(random.zipf(1.3, 30_000) % 9000).cast(pa.string())}))
    codec = Table(most_categories=64).fit(items)
    assert codec.spec.shape == (65,)
    shares = codec.columns[0].shares  # type: ignore[union-attr]
    assert sum(shares) == pytest.approx(1)


def test_a_million_different_texts_and_an_empty_column() -> None:
    n = 1_000_000
    numbers = pa.array(np.arange(n)).cast(pa.string())
    table = pa.table({"key": numbers, "empty": pa.nulls(n, pa.string()), "nothing": pa.nulls(n), "n": np.arange(n) % 5})
    items = read_frame(table)
    codec = Table().fit(items)
    assert codec.spec.shape == (5,)  # five spikes, and no rank
    assert restore(codec, items.sample.slice(0, 9)).column("empty").null_count == 9
    assert len(json.dumps(to_json(codec))) < 3000


def test_what_training_never_saw() -> None:
    items = read_frame(pa.table({"c": ["a", "b"] * 50, "n": [float(i) for i in range(50)] * 2, "s": [1, 2] * 50}))
    codec = Table(k=1, dependences=False).fit(items)
    block = pa.table({"c": ["z", None], "n": [1e9, None], "s": [7, None], "more": [1, 2]})
    rows = restore(codec, block)
    assert rows["c"].to_pylist() == ["a", "a"]
    assert rows["n"].to_pylist()[0] == 49
    assert 20 <= rows["n"].to_pylist()[1] <= 30
    assert rows["s"].to_pylist()[0] == 2
    with pytest.raises(GanvasError, match="lacks the column 's'"):
        codec.encode_block(block.drop_columns(["s"]))
    with pytest.raises(GanvasError, match="column 'n' has type string, not double"):
        codec.encode_block(block.set_column(1, "n", pa.array(["x", "y"])))
    with pytest.raises(GanvasError, match=r"test.csv \(2 rows, 4 columns\): column 'n' has type string"):
        prepare_dataset(read_frame(block.set_column(1, "n", pa.array(["x", "y"])), "test.csv"), codec, None, quiet=True)


def test_infinite_numbers_are_missing() -> None:
    items = read_frame(pa.table({"n": [1.5, 2.5, float("inf"), float("nan")] * 50}))
    codec = Table().fit(items)
    assert codec.decode(torch.from_numpy(codec.encode_block(items.sample.slice(0, 4))))["n"].to_pylist() == [
        1.5,
        2.5,
        None,
        None,
    ]


def test_kinds_can_be_set() -> None:
    items = read_frame(pa.table({"zip": [10, 20, 30] * 40, "n": [1, 2] * 60}))
    codec = Table(kinds={"zip": "category", "n": "text"}).fit(items)
    assert codec.spec.shape == (3,)
    rows = restore(codec, items.sample)
    assert rows["zip"].to_pylist() == [10, 20, 30] * 40
    assert rows["n"].null_count == 120
    with pytest.raises(SettingError, match="kinds"):
        Table(kinds={"x": "category"}).fit(items)


def test_refusals() -> None:
    with pytest.raises(GanvasError, match="at least 20 are needed"):
        Table().fit(read_frame(pa.table({"a": [1, 2] * 9})))
    with pytest.raises(GanvasError, match="no column to learn"):
        Table().fit(read_frame(pa.table({"a": range(100), "b": ["x"] * 100})))
    with pytest.raises(SettingError, match="k must be 1 or more"):
        Table(k=0)
    with pytest.raises(SettingError, match="most_categories"):
        replace(Table(), most_categories=0)


def test_two_thousand_columns() -> None:
    random = np.random.default_rng(0)
    items = read_frame(pa.table({f"c{i}": random.integers(0, 9, 100) for i in range(2000)}))
    codec, reasons = Table(k=1).fit_with_reasons(items)
    stored = torch.from_numpy(codec.encode_block(items.sample))
    assert torch.equal(codec.store(codec.load(stored, None)), stored)
    assert reasons[-2:] == ["and 1,940 more columns", "scores ask how well the other columns predict c1999"]
    assert codec.preview(stored).width == 850


def test_a_long_csv_file_is_read_and_encoded_in_blocks(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    block = pa.table({f"c{i}": random.integers(0, 50 + 1000 * i, 20_000) for i in range(20)})
    with (tmp_path / "a.csv").open("wb") as file:
        for k in range(10):
            pyarrow.csv.write_csv(block, file, pyarrow.csv.WriteOptions(include_header=k == 0))
    before = pa.total_allocated_bytes()
    items = Rows(path=str(tmp_path / "a.csv")).items(())
    codec = Table().fit(items)
    data = prepare_dataset(items, codec, tmp_path / "cache", quiet=True)
    assert data.columns["x"].shape == (200_000, 20)
    assert data.byte_count == 200_000 * 20 * 2
    assert pa.total_allocated_bytes() - before < 64 * 2**20  # the typed rows, 32 MB, and what a block needs


def test_a_column_that_follows_from_a_category_is_computed_unless_asked_otherwise() -> None:
    random = np.random.default_rng(0)
    group = random.integers(0, 4, 400)
    table = pa.table({"group": np.array(["a", "b", "c", "d"])[group], "code": 10 * group, "x": random.normal(size=400)})
    codec, reasons = Table().fit_with_reasons(read_frame(table))
    assert reasons[0] == "rule: group decides code"
    assert [column.name for column in codec.columns] == ["group", "x"]
    assert codec.list_plain_columns() == {"group": "category", "code": "number", "x": "number"}
    rows = codec.decode(torch.stack([torch.randint(4, (300,)), torch.randint(9, (300,))], 1).to(torch.uint16))
    assert rows.schema.names == ["group", "code", "x"]
    assert all(
        {"a": 0, "b": 10, "c": 20, "d": 30}[g] == c
        for g, c in zip(rows["group"].to_pylist(), rows["code"].to_pylist(), strict=True)
    )
    assert len(Table(dependences=False).fit(read_frame(table)).columns) == 3


def test_what_a_killed_process_left_of_a_table_is_removed(codec: TableCodec, stored: torch.Tensor, tmp_path: Path) -> None:
    names = [".a.csv.99999999.tmp", ".b.csv.99999999.tmp", f".a.csv.{os.getppid()}.tmp"]
    for name in names:
        (tmp_path / name).write_text("half")
    write_table_file(codec.decode(stored[:5]), tmp_path / "a.csv", {})
    assert [(tmp_path / name).exists() for name in names] == [False, True, True]


def test_a_random_place_is_never_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The highest hash: its place in float32 was rounded to 1, which a training of ten minutes met."""
    monkeypatch.setattr(chance, "mix_bits", lambda x: torch.full_like(x, chance.MASK))
    places = chance.draw_cell_places(torch.tensor([1, 2]), 3)
    assert places.max() < 1
    assert ((places * 8).long() < 8).all()
