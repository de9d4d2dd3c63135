"""Rules of tables: they hold in each row that any codes are decoded to, and what they keep is nobody's own."""

import datetime
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.configuration import from_json, to_json
from ganvas.core import BlockItems
from ganvas.data import Rows, prepare_dataset, read_frame
from ganvas.errors import GanvasError, SettingError
from ganvas.media import (
    AtMost,
    Bounds,
    Decimals,
    Dependence,
    FixedCombinations,
    MissingTogether,
    Table,
    TableCodec,
    Total,
    Unique,
)
from ganvas.media.table.rules import Rule, RuleContext, order_rules
from plain_tables import ADULT, skip_without_adult

N = 2000
CITIES = {
    "Ulm": ("Germany", 89),
    "Bonn": ("Germany", 53),
    "Rome": ("Italy", 118),
    "Turin": ("Italy", 10),
    "Graz": ("Austria", 8),
}


def draw_orders(n: int = N, seed: int = 0) -> pa.Table:
    """Orders with dates in order, sums, products, a city's country, and what is missing together."""
    random = np.random.default_rng(seed)
    ordered = np.datetime64("2023-01-01") + random.integers(0, 700, n)
    sent = ordered + random.geometric(0.3, n) - 1
    arrived = (sent + random.integers(1, 15, n)).astype("datetime64[s]") + random.integers(0, 86_400, n)
    is_lost = random.random(n) < 0.2
    city = np.array(list(CITIES))[random.integers(0, 5, n)]
    net, shipping, count = np.round(random.lognormal(3, 1, n), 2), random.integers(0, 4, n) * 2.5, random.integers(1, 9, n)
    return pa.table(
        {
            "id": pa.array(np.arange(n) + 7),
            "ordered": pa.array(ordered, pa.date32()),
            "sent": pa.array(sent, pa.date32()),
            "country": [CITIES[c][0] for c in city],
            "city": city,
            "prefix": pa.array([CITIES[c][1] for c in city], pa.int32()),
            "arrived": pa.array(arrived, pa.timestamp("s"), mask=is_lost),
            "receiver": pa.array(np.array(["door", "shop", "box"])[random.integers(0, 3, n)], mask=is_lost),
            "net": net,
            "shipping": shipping,
            "total": np.round(net + shipping, 2),
            "count": count,
            "value": np.round(count * net, 2),
            "low": random.integers(0, 50, n).astype(np.float32),
            "high": pa.array(random.integers(50, 90, n).astype(float), mask=random.random(n) < 0.1),
        }
    )


RULES: tuple[Rule, ...] = (
    AtMost(lows=("ordered",), high="sent"),
    AtMost(lows=("sent",), high="arrived"),
    Dependence(parents=("city",), child="country"),
    Dependence(parents=("city",), child="prefix"),
    Total(total="total", parts=("net", "shipping")),
    Total(total="value", parts=("count", "net"), operation="product"),
    MissingTogether(columns=("receiver", "arrived")),
    AtMost(lows=("low",), high="high"),
    Bounds(column="high", lowest=0.0, highest=90.0),
    Bounds(column="ordered", lowest="2023-01-01", highest="2024-12-31"),
    Decimals(column="net", decimals=2),
    Decimals(column="count"),
    Unique(column="id"),
)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return draw_orders()


@pytest.fixture(scope="module")
def codec(table: pa.Table) -> TableCodec:
    return Table(rules=RULES).fit(read_frame(table))


def draw_codes(codec: TableCodec, n: int, seed: int = 0) -> torch.Tensor:
    """Uniform random codes: far worse than any generator."""
    counts = [len(column.lay_out().hot) for column in codec.columns]
    return torch.from_numpy(np.random.default_rng(seed).integers(0, counts, (n, len(counts))).astype(np.uint16))


def decode_random_rows(codec: TableCodec, n: int = 5000) -> pa.Table:
    return codec.decode(draw_codes(codec, n), seed=3)


def list_numbers(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        zone = getattr(column.type, "tz", None)
        return column.cast(pa.timestamp("us", zone)).cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy()
    numbers = column.cast(pa.float64()).to_numpy()
    return np.round(numbers, column.type.scale) if pa.types.is_decimal(column.type) else numbers


def read_marks(column: pa.ChunkedArray) -> np.ndarray:
    return column.is_null().to_numpy()


def count_pairs(table: pa.Table, *names: str) -> Counter[tuple[Any, ...]]:
    return Counter(zip(*(table[name].to_pylist() for name in names), strict=True))


def reduce_and_restore(codec: TableCodec, rows: pa.Table) -> pa.Table:
    for rule in codec.rules:
        rows = rule.reduce(rows)
    for rule in reversed(codec.rules):
        rows = rule.restore(rows)
    return rows


def fit_unless(medium: Table, table: pa.Table, *words: str) -> TableCodec | None:
    """The codec, or None if the table is refused for one of these reasons."""
    try:
        return medium.fit(read_frame(table))
    except GanvasError as error:
        if not any(word in str(error) for word in words):
            raise
        return None


def test_rules_hold_in_rows_of_random_codes(codec: TableCodec, table: pa.Table) -> None:
    rows = decode_random_rows(codec)
    assert not (list_numbers(rows["ordered"]) > list_numbers(rows["sent"])).any()
    assert not (list_numbers(rows["sent"]) > list_numbers(rows["arrived"])).any()
    assert not (list_numbers(rows["low"]) > list_numbers(rows["high"])).any()
    assert set(count_pairs(rows, "city", "country", "prefix")) == {(c, *rest) for c, rest in CITIES.items()}
    numbers = {name: list_numbers(rows[name]) for name in ("net", "shipping", "total", "count", "value")}
    np.testing.assert_array_equal(numbers["total"], np.round(numbers["net"] + numbers["shipping"], 2))
    np.testing.assert_array_equal(numbers["value"], np.round(numbers["net"] * numbers["count"], 2))
    np.testing.assert_array_equal(read_marks(rows["receiver"]), read_marks(rows["arrived"]))
    assert 0.1 < read_marks(rows["receiver"]).mean() < 0.9
    assert np.nanmin(list_numbers(rows["high"])) >= 0
    assert np.nanmax(list_numbers(rows["high"])) <= 90
    assert min(rows["ordered"].to_pylist()) >= datetime.date(2023, 1, 1)
    assert len(set(rows["id"].to_pylist())) == len(rows)
    assert all(not rule.mark_broken_rows(rows).any() for rule in codec.rules)


def test_what_rules_compute_stays_within_the_data(codec: TableCodec, table: pa.Table) -> None:
    rows = decode_random_rows(codec)
    for name in ("sent", "arrived", "high"):
        values, originals = list_numbers(rows[name]), list_numbers(table[name])
        assert np.nanmin(originals) <= np.nanmin(values)
        assert np.nanmax(values) <= np.nanmax(originals)
        assert len(np.unique(values[~np.isnan(values)])) > 10  # nothing is clipped to one value
        assert (values == np.nanmax(values)).mean() < 0.05


def test_order_types_and_formats_are_those_of_the_table(codec: TableCodec, table: pa.Table) -> None:
    rows = decode_random_rows(codec, 10)
    assert rows.schema.names == table.schema.names
    assert rows.schema.types == table.schema.types
    assert codec.schema.equals(rows.schema, check_metadata=True)


def test_real_rows_are_restored(table: pa.Table) -> None:
    """Without any column codec, all that rules do is undone; k rows at both ends of a column are the exception."""
    codec = Table(k=1, rules=RULES).fit(read_frame(table))
    rows = reduce_and_restore(codec, table)
    for name in table.schema.names:
        is_same = np.array([a == b for a, b in zip(table[name].to_pylist(), rows[name].to_pylist(), strict=True)])
        assert is_same.mean() > (0.995 if name in ("sent", "arrived", "high") else 0.999999), name


def test_real_rows_come_back_from_their_codes(codec: TableCodec, table: pa.Table) -> None:
    rows = codec.decode(torch.from_numpy(codec.encode_block(table)), seed=1)
    assert rows["country"].equals(table["country"])
    assert rows["prefix"].equals(table["prefix"])
    assert rows["receiver"].equals(table["receiver"])
    np.testing.assert_array_equal(read_marks(rows["high"]), read_marks(table["high"]))
    np.testing.assert_allclose(list_numbers(rows["high"]), list_numbers(table["high"]), atol=1.0)
    days = (list_numbers(rows["sent"]) - list_numbers(table["sent"])) / 86_400e6
    assert np.abs(days).max() <= 12
    assert np.abs(days).mean() < 2  # ten rows share an interval of ordered
    assert (list_numbers(rows["sent"]) == list_numbers(rows["ordered"])).mean() == pytest.approx(0.3, abs=0.05)


def test_fewer_columns_are_learnt(codec: TableCodec) -> None:
    names = [column.name for column in codec.columns]
    assert not {"country", "prefix", "total", "value", "sent", "arrived", "high"} & set(names)
    assert {"sent - ordered", "arrived - sent", "high - low", "city"} <= set(names)


def test_rows_and_blocks_are_encoded_alike(codec: TableCodec, table: pa.Table) -> None:
    items = read_frame(table)
    stored = codec.encode_block(table)
    for i in range(60):
        np.testing.assert_array_equal(codec.encode(items[i]), stored[i])
    data = prepare_dataset(items, codec, None, quiet=True)
    np.testing.assert_array_equal(data.columns["x"].numpy(), stored)


def test_json_restores_rules(codec: TableCodec) -> None:
    restored = from_json(json.loads(json.dumps(to_json(codec))))
    assert restored == codec
    codes = draw_codes(codec, 50)
    assert restored.decode(codes, 3).equals(codec.decode(codes, 3))
    medium = Table(rules=RULES)
    assert from_json(json.loads(json.dumps(to_json(medium)))) == medium


def test_a_decoded_row_follows_from_its_number_and_the_seed(codec: TableCodec) -> None:
    codes = draw_codes(codec, 100)
    assert codec.decode(codes[60:], seed=4, start=60).equals(codec.decode(codes, seed=4).slice(60))


def test_without_rules_nothing_changes(table: pa.Table) -> None:
    codec = Table(dependences=False).fit(read_frame(table))
    assert [column.name for column in codec.columns] == table.schema.names
    assert codec.rules == ()


def test_reasons_name_rules_and_new_columns(table: pa.Table) -> None:
    _, reasons = Table(rules=RULES).fit_with_reasons(read_frame(table))
    assert "rule: ordered <= sent" in reasons
    assert "rule: total = net + shipping" in reasons
    assert "rule: city decides country" in reasons
    assert "sent - ordered: learnt in place of sent" in reasons


def test_a_column_that_decides_is_a_category() -> None:
    table = pa.table({"n": np.arange(600) % 30, "odd": (np.arange(600) % 30) % 2 == 1, "x": np.arange(600) % 7})
    codec, reasons = Table(rules=(Dependence(parents=("n",), child="odd"),)).fit_with_reasons(read_frame(table))
    assert any("n: whole numbers" in reason and reason.endswith("taken as category, for a rule") for reason in reasons)
    rows = decode_random_rows(codec)
    assert all(odd == (n % 2 == 1) for n, odd in count_pairs(rows, "n", "odd"))


# rules one by one


NUMBERS = st.sampled_from(["int64", "int16", "cents", "float", "float32", "tens", "decimal"])


def draw_numbers(random: np.random.Generator, form: str, n: int) -> np.ndarray:
    size = random.integers(1, 200)
    match form:
        case "int64" | "int16":
            return random.integers(-size, size + 1, n).astype(float)
        case "cents" | "decimal":
            return np.round(random.normal(0, size, n), 2)
        case "tens":
            return random.integers(-5, size, n) * 10.0
        case _:
            return random.normal(0, size, n)


def build_numbers(numbers: np.ndarray, form: str, is_missing: np.ndarray) -> pa.Array:
    kinds = {"int64": pa.int64(), "int16": pa.int16(), "float32": pa.float32(), "decimal": pa.decimal128(12, 2)}
    return pa.array(numbers, pa.float64(), mask=is_missing).cast(kinds.get(form, pa.float64()), safe=False)


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=2, max_size=4), st.integers(0, 999), st.sampled_from([0.0, 0.2]), st.integers(1, 12))
def test_orders_of_any_numbers_hold(forms: list[str], seed: int, missing: float, k: int) -> None:
    """Chains of columns of different types, each at most the next one. Real rows are nearly what they were."""
    random, n = np.random.default_rng(seed), 200
    columns = [build_numbers(draw_numbers(random, form, n), form, random.random(n) < missing) for form in forms]
    numbers = np.stack([list_numbers(pa.chunked_array([c])) for c in columns])
    is_broken = np.any([a > b for i, a in enumerate(numbers) for b in numbers[i + 1 :]], axis=0)
    is_kept = ~is_broken
    if is_kept.sum() < max(30, 2 * k):
        return
    table = pa.table({f"c{i}": c.filter(pa.array(is_kept)) for i, c in enumerate(columns)}).combine_chunks()
    rules = tuple(AtMost(lows=tuple(f"c{j}" for j in range(i)), high=f"c{i}") for i in range(1, len(forms)))
    codec = fit_unless(Table(k=k, rules=rules), table, "is a key", "fewer than", "no column to learn")
    if codec is None:
        return
    rows = decode_random_rows(codec, 1000)
    restored = [list_numbers(rows[name]) for name in table.schema.names]
    assert not any((a > b).any() for i, a in enumerate(restored) for b in restored[i + 1 :])
    assert rows.schema.types == table.schema.types
    back = codec.decode(torch.from_numpy(codec.encode_block(table)))
    if k == 1 and all(form not in ("float", "float32") for form in forms):
        for name in table.schema.names:
            np.testing.assert_array_equal(list_numbers(back[name]), list_numbers(table[name]))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(NUMBERS, min_size=1, max_size=4),
    st.sampled_from(["sum", "product"]),
    st.integers(0, 999),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from([None, 0, 2]),
)
def test_totals_of_any_numbers_hold(forms: list[str], operation: str, seed: int, missing: float, decimals: int | None) -> None:
    random, n = np.random.default_rng(seed), 300
    parts = [build_numbers(draw_numbers(random, form, n), form, random.random(n) < missing) for form in forms]
    numbers = np.stack([list_numbers(pa.chunked_array([c])) for c in parts])
    totals = numbers.sum(0) if operation == "sum" else numbers.prod(0)
    totals = totals if decimals is None else np.round(totals, decimals)
    table = pa.table({"total": pa.array(totals, from_pandas=True), **{f"p{i}": c for i, c in enumerate(parts)}})
    rule = Total(total="total", parts=tuple(f"p{i}" for i in range(len(parts))), operation=operation)  # type: ignore[arg-type]
    codec = fit_unless(Table(k=5, rules=(rule,)), table, "is a key", "no column to learn")
    if codec is None:
        return
    rows = decode_random_rows(codec, 1000)
    restored = np.stack([list_numbers(rows[name]) for name in rule.parts])
    results = restored.sum(0) if operation == "sum" else restored.prod(0)
    np.testing.assert_array_equal(np.isnan(list_numbers(rows["total"])), np.isnan(results))
    unit = 0.0 if decimals is None else 0.5001 * 10.0**-decimals
    scale = np.abs(restored).sum(0) + np.abs(results)
    errors = np.abs(list_numbers(rows["total"]) - results)
    assert np.nanmax(errors - (1e-9 * scale + unit)) <= 0
    restored_table = reduce_and_restore(codec, table)
    np.testing.assert_allclose(list_numbers(restored_table["total"]), totals, rtol=1e-9, atol=1e-9 + unit)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 3), st.booleans()), min_size=40, max_size=120),
    st.integers(1, 8),
)
def test_only_known_combinations_occur(rows: list[tuple[Any, int, bool]], k: int) -> None:
    text, number, flag = zip(*rows, strict=True)
    table = pa.table({"x": [1.5, 2.5] * (len(rows) // 2) + [1.5] * (len(rows) % 2), "t": text, "n": number, "f": flag})
    counts = count_pairs(table, "t", "n", "f")
    names = ("t", "n", "f")
    kinds = dict.fromkeys(names, "category")
    if max(counts.values()) < k:
        with pytest.raises(GanvasError, match="no combination of t, n and f is held"):
            Table(k=k, kinds=kinds, rules=(FixedCombinations(columns=names),)).fit(read_frame(table))  # type: ignore[arg-type]
        return
    codec = Table(k=k, kinds=kinds, rules=(FixedCombinations(columns=names),)).fit(read_frame(table))  # type: ignore[arg-type]
    known = {combination for combination, count in counts.items() if count >= k}
    assert set(count_pairs(decode_random_rows(codec, 3000), *names)) == known
    back = count_pairs(codec.decode(torch.from_numpy(codec.encode_block(table))), *names)
    assert all(back[combination] >= counts[combination] for combination in known)
    assert sum(back.values()) == len(rows)


def test_a_rare_combination_counts_as_the_nearest() -> None:
    rows = [("a", "x", 1)] * 50 + [("b", "y", 2)] * 40 + [("b", "y", 1)] * 3
    table = pa.table({name: list(values) for name, values in zip("pqr", zip(*rows, strict=True), strict=True)})
    codec = Table(rules=(FixedCombinations(columns=("p", "q", "r")),)).fit(read_frame(table))
    back = codec.decode(torch.from_numpy(codec.encode_block(table.slice(90))))
    assert back.to_pylist() == [{"p": "b", "q": "y", "r": 2}] * 3


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.integers(1, 12), st.integers(1, 2), st.integers(2, 60))
def test_a_child_follows_from_its_parents(seed: int, k: int, parent_count: int, value_count: int) -> None:
    random = np.random.default_rng(seed)
    parents = [random.zipf(1.5, 400) % value_count for _ in range(parent_count)]
    child_of = random.integers(0, 5, (value_count,) * parent_count)
    child = child_of[tuple(parents)]
    columns = {f"p{i}": pa.array(p).cast(pa.string()) for i, p in enumerate(parents)}
    table = pa.table({"child": child, **columns, "x": random.integers(0, 9, 400)})
    rule = Dependence(parents=tuple(columns), child="child")
    codec = fit_unless(Table(k=k, most_categories=8, rules=(rule,)), table, "is held by", "free text")
    if codec is None:
        return
    rows = decode_random_rows(codec, 2000)
    pairs = count_pairs(rows, *columns, "child")
    assert len(pairs) == len({pair[:-1] for pair in pairs})
    counts = count_pairs(table, *columns, "child")
    known = {pair: count for pair, count in counts.items() if count >= k}
    assert all(pair[:-1] not in {p[:-1] for p in known} or pair in known for pair in pairs)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.floats(0.1, 0.8), st.integers(2, 12))
def test_columns_are_missing_together(seed: int, share: float, k: int) -> None:
    random, n = np.random.default_rng(seed), 200
    is_missing = random.random(n) < share
    days = np.datetime64("2020-01-01") + random.integers(0, 90, n)
    start = random.integers(0, 50, n)
    table = pa.table(
        {
            "text": pa.array(np.array(["a", "b"])[random.integers(0, 2, n)], mask=is_missing),
            "start": pa.array(start, mask=is_missing),
            "end": pa.array(start + random.integers(0, 9, n), mask=is_missing),
            "day": pa.array(days, pa.date32(), mask=is_missing),
            "flag": pa.array(random.random(n) < 0.5, mask=is_missing),
        }
    )
    names = tuple(table.schema.names)
    rules = (MissingTogether(columns=names), AtMost(lows=("start",), high="end"))
    codec = Table(k=k, rules=rules).fit(read_frame(table))
    rows = decode_random_rows(codec, 1000)
    marks = np.stack([read_marks(rows[name]) for name in names])
    assert (marks == marks[0]).all()
    assert 0 < marks[0].mean() < 1
    assert not (list_numbers(rows["start"]) > list_numbers(rows["end"])).any()
    back = codec.decode(torch.from_numpy(codec.encode_block(table)))
    np.testing.assert_array_equal(read_marks(back["day"]), is_missing)


def test_an_open_end_stays_open() -> None:
    """Contracts that began after all others had ended have no end yet."""
    random = np.random.default_rng(0)
    start = random.integers(0, 100, 1000)
    table = pa.table({"start": start, "end": pa.array(start + random.integers(0, 10, 1000), mask=start > 50)})
    rules: tuple[Rule, ...] = (AtMost(lows=("start",), high="end"), Bounds(column="end", highest=60.0))
    rows = decode_random_rows(Table(rules=rules).fit(read_frame(table)))
    start, end = list_numbers(rows["start"]), list_numbers(rows["end"])
    assert np.isnan(end[start > 59]).all()
    assert np.nanmax(end) <= 60
    assert not (start > end).any()


def test_totals_of_the_parts_that_there_are() -> None:
    random = np.random.default_rng(0)
    base, bonus = random.integers(1, 50, 500) * 100, random.integers(1, 9, 500) * 10
    has_bonus = random.random(500) < 0.5
    columns = {"base": base, "bonus": pa.array(bonus, mask=~has_bonus), "pay": base + np.where(has_bonus, bonus, 0)}
    codec = Table(rules=(Total(total="pay", parts=("base", "bonus")),)).fit(read_frame(pa.table(columns)))
    rows = decode_random_rows(codec)
    expected = list_numbers(rows["base"]) + np.nan_to_num(list_numbers(rows["bonus"]))
    np.testing.assert_array_equal(list_numbers(rows["pay"]), expected)


TIMES = [
    pa.date32(),
    pa.date64(),
    *(pa.timestamp(unit, zone) for unit in ("s", "ms", "ns") for zone in (None, "Europe/Berlin")),
]


@pytest.mark.parametrize("low", TIMES, ids=str)
@pytest.mark.parametrize("high", TIMES, ids=str)
def test_dates_of_any_type_are_in_order(low: pa.DataType, high: pa.DataType) -> None:
    random, n = np.random.default_rng(0), 300
    start = random.integers(0, 400, n) * 86_400
    end = start + random.integers(0, 30, n) * (86_400 if pa.types.is_date(high) else 7200)
    times = [pa.array(seconds, pa.timestamp("s", getattr(kind, "tz", None))) for seconds, kind in ((start, low), (end, high))]
    table = pa.table({"start": times[0].cast(low), "end": pa.array(times[1].cast(high).to_pylist()[:-20] + [None] * 20, high)})
    rules: tuple[Rule, ...] = (
        AtMost(lows=("start",), high="end"),
        Bounds(column="end", lowest="1970-01-01", highest="1971-03-08"),
    )
    codec = Table(k=1, rules=rules).fit(read_frame(table))
    rows = decode_random_rows(codec, 1000)
    assert not (list_numbers(rows["start"]) > list_numbers(rows["end"])).any()
    assert np.nanmax(list_numbers(rows["end"])) <= end.max() * 1e6
    assert rows.schema.types == [low, high]
    back = codec.decode(torch.from_numpy(codec.encode_block(table)))
    assert back["start"].equals(table["start"])
    assert back["end"].equals(table["end"])


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time64("us")], ids=str)
def test_times_of_day_are_in_order(kind: pa.DataType) -> None:
    seconds = np.arange(400) % 37 * 100
    values = [pa.array(s * (10**6 if kind == pa.time64("us") else 1)) for s in (seconds, seconds + np.arange(400) % 11 * 60)]
    whole = pa.int32() if kind == pa.time32("s") else pa.int64()
    table = pa.table({name: v.cast(whole).cast(kind) for name, v in zip(("a", "b"), values, strict=True)})
    codec = Table(k=1, rules=(AtMost(lows=("a",), high="b"),)).fit(read_frame(table))
    rows = decode_random_rows(codec, 1000)
    assert all(a <= b for a, b in zip(rows["a"].to_pylist(), rows["b"].to_pylist(), strict=True))
    assert codec.decode(torch.from_numpy(codec.encode_block(table))).equals(table)
    differences = [column.name for column in codec.columns].index("b - a")
    assert codec.encode(read_frame(table)[5])[differences] == codec.encode_block(table)[5][differences]


def test_texts_are_written_as_they_were(tmp_path: Path) -> None:
    """Of columns that rules decide, too: the format of dates, and the number of decimals."""
    lines = [f"{i % 28 + 1:02}.03.2024,{(i * 7) % 28 + 1:02}.05.2024,{i % 9}.50,{i % 9}.50,{i % 3}" for i in range(300)]
    (tmp_path / "a.csv").write_text("\n".join(["start,end,net,gross,x", *lines]))
    rules: tuple[Rule, ...] = (AtMost(lows=("start",), high="end"), Total(total="gross", parts=("net",)))
    items = Rows(path=str(tmp_path / "a.csv")).items(())
    codec = Table(k=1, rules=rules).fit(items)
    assert codec.schema.equals(items.sample.schema, check_metadata=True)
    codec.write(torch.from_numpy(codec.encode_block(items.sample)), tmp_path / "out", 0, {})
    assert (tmp_path / "out" / "samples.csv").read_text().splitlines()[1:] == lines


# bad input


def rows_of(**columns: Any) -> Any:
    return read_frame(pa.table(columns), "shop.csv")


def refuse(rules: Sequence[Rule], **columns: Any) -> str:
    with pytest.raises(GanvasError) as caught:
        Table(rules=tuple(rules)).fit(rows_of(**columns))
    return str(caught.value)


def test_the_first_rows_that_break_a_rule_are_named() -> None:
    start, end = np.arange(200) % 20, np.arange(200) % 20 + 3
    end[[40, 77, 120, 150]] = -1
    message = refuse([AtMost(lows=("start",), high="end")], start=start, end=end)
    assert message.startswith('shop.csv (200 rows, 2 columns): 4 rows break the rule "start <= end": row 41 has start = 0, end')
    assert "row 41 has start = 0, end = -1 (end is less than start)" in message
    assert "row 121" in message
    assert "row 151" not in message
    assert message.endswith("Correct these rows, or leave the rule out")


@pytest.mark.parametrize(
    ("rule", "columns", "words"),
    [
        (Dependence(parents=("a",), child="b"), {"a": ["x", "y"] * 50, "b": [1, 2] * 49 + [1, 3]}, "row 100 has a = y, b = 3"),
        (Total(total="b", parts=("a",)), {"a": [1, 2] * 50, "b": [1, 2] * 49 + [1, 3]}, "b should be 2, which is a"),
        (Bounds(column="a", highest=1.5), {"a": [1, 2] * 50}, "row 2 has a = 2"),
        (Decimals(column="a"), {"a": [1.0, 2.0] * 49 + [1.0, 2.5]}, "row 100 has a = 2.5"),
        (Unique(column="a"), {"a": [*range(99), 5], "b": [1, 2] * 50}, "row 100 has a = 5 (an earlier row has it too)"),
        (Unique(column="a"), {"a": [*range(99), None], "b": [1, 2] * 50}, "row 100 has a = missing (it is missing)"),
        (
            MissingTogether(columns=("a", "b")),
            {"a": [1, 2, None] * 40, "b": [1, 2, None] * 39 + [1, None, None]},
            "row 119 has a = 2, b = missing (only b is missing)",
        ),
        (
            AtMost(lows=("a",), high="b"),
            {"a": pa.array([5, 6] * 50, pa.date32()), "b": pa.array([5, 6] * 49 + [5, 4], pa.date32())},
            "a = 1970-01-07, b = 1970-01-05 (b is before a)",
        ),
    ],
)
def test_each_rule_names_what_is_broken(rule: Rule, columns: dict[str, Any], words: str) -> None:
    assert words in refuse([rule], **columns)


def test_rows_beyond_the_sample_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    items = rows_of(a=[1, 2] * 500, b=[1, 2] * 499 + [1, 1])
    sample = items.sample.slice(0, 500)
    monkeypatch.setattr(items, "sample", sample)
    assert isinstance(items, BlockItems)
    with pytest.raises(GanvasError, match=r"1 row breaks the rule .*: row 1,000 has a = 2, b = 1"):
        Table(rules=(AtMost(lows=("a",), high="b"),)).fit(items)


CIRCLE = (Total(total="a", parts=("b", "c")), AtMost(lows=("a",), high="b"))
NUMBER = [1, 2, 3, 4] * 25


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((Dependence(parents=("a",), child="b"), Total(total="b", parts=("a",))), "two rules decide the column 'b'"),
        ((Dependence(parents=("a",), child="b"), Dependence(parents=("b",), child="a")), "form a circle"),
        (CIRCLE, 'the rules "a <= b" and "a = b + c" form a circle'),
        ((AtMost(lows=("a",), high="b"), AtMost(lows=("b",), high="c"), AtMost(lows=("c",), high="a")), "form a circle"),
        ((MissingTogether(columns=("a", "b")), Total(total="b", parts=("a",))), "another rule decides 'b'"),
        ((AtMost(lows=("a",), high="b"), Dependence(parents=("b",), child="c")), "'b' is computed"),
        ((AtMost(lows=("a",), high="x"),), "has no column 'x'"),
        ((AtMost(lows=("a",), high="t"),), "only numbers, or only dates, can be compared: a has int64 and t has string"),
        ((Total(total="t", parts=("a",)),), "a total and its parts have to be numbers"),
        ((Bounds(column="t", highest=3.0),), "only numbers and dates have bounds"),
        ((Bounds(column="a", highest="2024-01-01"),), "write a number"),
        ((Decimals(column="t"),), "only numbers have decimals"),
        ((Unique(column="list"),), "only texts and whole numbers can be keys"),
        ((Dependence(parents=("clock",), child="b"),), "column 'clock' has type time32[s], whose values no rule can compare"),
        ((Dependence(parents=("id",), child="b"),), "column 'id' is a key, which is not learnt"),
        ((Unique(column="a"), AtMost(lows=("a",), high="b")), "break the rule"),
    ],
)
def test_rules_that_cannot_be(rules: tuple[Rule, ...], words: str) -> None:
    texts = [f"id-{i}" for i in range(100)]
    clock = pa.array(NUMBER, pa.time32("s"))
    assert words in refuse(rules, a=NUMBER, b=NUMBER, c=NUMBER, t=["u", "v"] * 50, id=texts, list=[[1]] * 100, clock=clock)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Total(total="a", parts=("a", "b")),
        lambda: Total(total="a", parts=()),
        lambda: AtMost(lows=("a",), high="a"),
        lambda: AtMost(lows=(), high="a"),
        lambda: Dependence(parents=("a",), child="a"),
        lambda: FixedCombinations(columns=("a",)),
        lambda: FixedCombinations(columns=("a", "a")),
        lambda: MissingTogether(columns=("a",)),
        lambda: Bounds(column="a"),
        lambda: Bounds(column="a", lowest=2.0, highest=1.0),
        lambda: Decimals(column="a", decimals=9),
    ],
)
def test_settings_out_of_range(build: Any) -> None:
    with pytest.raises(SettingError):
        build()


def test_each_at_most_the_other_are_the_same() -> None:
    rules = (AtMost(lows=("a",), high="b"), AtMost(lows=("b",), high="a"), AtMost(lows=("b",), high="c"))
    table = pa.table({"a": NUMBER, "b": NUMBER, "c": [n + 1 for n in NUMBER]})
    rows = decode_random_rows(Table(rules=rules).fit(read_frame(table)))
    assert rows["a"].equals(rows["b"])
    assert pyarrow.compute.all(pyarrow.compute.less_equal(rows["b"], rows["c"])).as_py()
    assert "should be 2, which is" in refuse(rules[:2], a=NUMBER, b=[*NUMBER[:-3], 9, 3, 4])


def test_bounds_that_a_total_could_leave_are_refused() -> None:
    a, b = np.arange(100) % 10, 9 - np.arange(100) % 10
    rules: tuple[Rule, ...] = (Total(total="t", parts=("a", "b")), Bounds(column="t", highest=9.0))
    message = refuse(rules, a=a, b=b, t=a + b)
    assert 'the rule "t <= 9" could fail because of others ("t = a + b"): a row could have t = 18' in message


def test_a_type_that_a_total_could_leave_is_refused() -> None:
    a = np.arange(100) % 50 * 2
    b = 100 - a
    columns = {name: pa.array(values, pa.int8()) for name, values in (("a", a), ("b", b), ("t", a + b))}
    assert "could fail because of a column's type" in refuse([Total(total="t", parts=("a", "b"))], **columns, x=NUMBER)


def test_rules_of_one_column_are_joined_and_sorted() -> None:
    rules = order_rules(
        [
            AtMost(lows=("a",), high="c"),
            AtMost(lows=("b",), high="c"),
            AtMost(lows=("c",), high="d"),
            Total(total="a", parts=("x", "y")),
            MissingTogether(columns=("d", "e")),
            MissingTogether(columns=("e", "f")),
            MissingTogether(columns=("e", "f")),
        ]
    )
    assert rules[-1] == MissingTogether(columns=("d", "e", "f"))
    places = {rule.decided_columns: k for k, rule in enumerate(rules[:-1])}
    assert AtMost(lows=("a", "b"), high="c") in rules
    assert places[("d",)] < places[("c",)] < places[("a",)]
    assert len(rules) == 4


def test_a_block_without_a_column_or_with_another_type(codec: TableCodec, table: pa.Table) -> None:
    with pytest.raises(GanvasError, match="lacks the column 'sent'"):
        codec.encode_block(table.drop_columns(["sent"]))
    texts = table.set_column(table.schema.get_field_index("sent"), "sent", pa.array(["x"] * N))
    with pytest.raises(GanvasError, match=r"column 'sent' has type string, not date32\[day\]"):
        codec.encode_block(texts)
    empty = table.set_column(table.schema.get_field_index("sent"), "sent", pa.nulls(N))
    assert codec.encode_block(empty).shape == (N, len(codec.columns))


# what is kept


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 9999), st.integers(2, 12))
def test_rules_keep_nobody(seed: int, k: int) -> None:
    """No text, number or date that fewer than k rows hold is in a codec, by itself or beside another one."""
    random, n = np.random.default_rng(seed), 150
    names = [f"<{value}>" for value in random.zipf(1.6, n) % 40]
    child = [f"child of {name}" for name in names]
    low = random.integers(0, 60, n) * 1.0 + random.integers(0, 2, n) * 0.25
    table = pa.table({"name": names, "child": child, "low": low, "high": low + random.integers(0, 5, n), "flag": low > 30})
    rules = (
        Dependence(parents=("name",), child="child"),
        AtMost(lows=("low",), high="high"),
        FixedCombinations(columns=("flag", "x")),
    )
    table = table.append_column("x", pa.array([name[:2] for name in names]))
    codec = fit_unless(Table(k=k, rules=rules), table, "is held by", "free text")
    if codec is None:
        return
    written = json.dumps(to_json(codec))
    for name, count in Counter(names).items():
        assert (name in written) == (count >= k)
    order = next(rule for rule in codec.rules if isinstance(rule, AtMost))
    counts = Counter(table["high"].to_pylist())
    assert all(counts[end] == 0 or counts[end] >= k for end in (order.lowest, order.highest))
    combinations = next(rule for rule in codec.rules if isinstance(rule, FixedCombinations)).combinations
    pairs = Counter((str(flag).lower(), x) for flag, x in zip(table["flag"].to_pylist(), table["x"].to_pylist(), strict=True))
    assert all(pairs[combination] >= k for combination in combinations)  # type: ignore[index]


def test_rare_parents_share_one_child() -> None:
    parents = ["a"] * 30 + ["b"] * 30 + [f"r{i}" for i in range(12)]
    child = ["A"] * 30 + ["B"] * 30 + ["R"] * 12
    sample = pa.table({"p": parents, "c": child})
    rule = Dependence(parents=("p",), child="c").fit_to(sample, RuleContext(k=10))
    assert (rule.keys, rule.children, rule.rest) == ((("a",), ("b",)), ("A", "B"), "R")
    rare = pa.table({"p": [*parents, "z"], "c": [*child, "Z"]})
    assert Dependence(parents=("p",), child="c").fit_to(rare.slice(0, 66), RuleContext(k=10)).rest is None


# Adult


def test_education_decides_its_number() -> None:
    skip_without_adult()
    items = Rows(path=str(ADULT)).items(())
    codec = Table(rules=(Dependence(parents=("education",), child="education-num"),)).fit(items)
    pairs = count_pairs(items.sample, "education", "education-num")
    assert set(count_pairs(decode_random_rows(codec, 20_000), "education", "education-num")) == set(pairs)
    assert "education-num" not in [column.name for column in codec.columns]
