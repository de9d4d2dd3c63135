"""Rules that are found in data: those that are there, none that hold by chance, and quickly."""

import time

import numpy as np
import pyarrow as pa
import pytest

from ganvas.data import Rows, read_frame
from ganvas.media import AtMost, Dependence, MissingTogether, Table, Total, drop_broken_rules, find_rules
from ganvas.media.table.rules import Rule, RuleContext, order_rules
from ganvas.media.table.rules.finding import MAX_COLUMNS, MAX_RULES
from plain_tables import ADULT, skip_without_adult

N = 20_000


def test_education_decides_its_number() -> None:
    skip_without_adult()
    sample = Rows(path=str(ADULT)).items(()).sample
    assert find_rules(sample, 10) == [Dependence(parents=("education",), child="education-num")]


def draw_shop(n: int = N) -> pa.Table:
    random = np.random.default_rng(0)
    city = random.integers(0, 40, n)
    ordered = np.datetime64("2023-01-01") + random.integers(0, 700, n)
    sent = ordered + random.geometric(0.3, n) - 1
    is_lost = random.random(n) < 0.2
    net, tax, count = np.round(random.lognormal(3, 1, n), 2), np.round(random.random(n) * 9, 2), random.integers(1, 9, n)
    parts = random.integers(0, 50, (4, n))
    return pa.table(
        {
            "id": np.arange(n),
            "region": pa.array(city // 8).cast(pa.string()),
            "zip": city + 10,
            "city": [f"city {c}" for c in city],
            "ordered": pa.array(ordered, pa.date32()),
            "sent": pa.array(sent, pa.date32()),
            "arrived": pa.array((sent + random.integers(0, 9, n)).astype("datetime64[s]"), mask=is_lost),
            "receiver": pa.array(np.array(["door", "shop"])[random.integers(0, 2, n)], mask=is_lost),
            "net": net,
            "tax": tax,
            "price": np.round(net + tax, 2),
            "count": count,
            "value": np.round(count * np.round(net + tax, 2), 2),
            **{f"part{k}": part for k, part in enumerate(parts)},
            "sum": parts.sum(0),
            "copy": net,
            "note": [f"text {i}" for i in range(n)],
            "noise": random.standard_normal(n),
            "coin": random.random(n) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def shop() -> pa.Table:
    return draw_shop()


@pytest.fixture(scope="module")
def rules(shop: pa.Table) -> list[Rule]:
    return find_rules(shop, 10)


def test_all_rules_are_found_and_no_others(rules: list[Rule]) -> None:
    assert set(rules) == {
        Dependence(parents=("city",), child="region"),
        Dependence(parents=("city",), child="zip"),
        Total(total="price", parts=("net", "tax")),
        Total(total="value", parts=("price", "count"), operation="product"),
        Total(total="sum", parts=("part0", "part1", "part2", "part3")),
        Total(total="copy", parts=("net",)),
        AtMost(lows=("ordered",), high="sent"),
        AtMost(lows=("sent",), high="arrived"),
        MissingTogether(columns=("arrived", "receiver")),
    }


def test_found_rules_can_all_be_kept(rules: list[Rule], shop: pa.Table) -> None:
    assert len(order_rules(rules)) == len(rules)
    codec = Table(rules=tuple(rules)).fit(read_frame(shop))
    assert len(codec.rules) == len(rules)
    assert codec.schema.names == shop.schema.names


@pytest.mark.parametrize("row", [11, 19_990])
def test_one_row_is_enough_against_a_rule(shop: pa.Table, rules: list[Rule], row: int) -> None:
    row += int(np.argmax(~shop["arrived"].is_null().to_numpy()[row:]))
    values = {name: shop[name].to_pylist() for name in ("region", "price", "sent", "receiver")}
    values["region"][row], values["price"][row], values["receiver"][row] = "9", -1.0, None
    values["sent"][row] = values["sent"][row].replace(year=2040)
    broken_table = shop
    for name, column in values.items():
        place = shop.schema.get_field_index(name)
        broken_table = broken_table.set_column(place, name, pa.array(column, shop.schema.field(name).type))
    found = find_rules(broken_table, 10)
    assert Dependence(parents=("city",), child="zip") in found
    assert {Dependence(parents=("city",), child="region"), AtMost(lows=("sent",), high="arrived")}.isdisjoint(found)
    assert not any(isinstance(rule, MissingTogether) or (isinstance(rule, Total) and rule.total == "price") for rule in found)
    kept, sentences = drop_broken_rules(rules, read_frame(broken_table, "shop.csv"), RuleContext())
    assert Dependence(parents=("city",), child="region") not in kept
    assert Dependence(parents=("city",), child="zip") in kept
    assert any(f'not kept: 1 row breaks the rule "city decides region": row {row + 1:,} has' in text for text in sentences)


def test_columns_of_chance_follow_no_rules() -> None:
    random = np.random.default_rng(1)
    columns = {f"n{k}": random.integers(0, 2 + 9 * k, 3000) for k in range(8)}
    columns |= {f"f{k}": np.round(random.gamma(1 + k, 2, 3000), k) for k in range(5)}
    columns |= {"rare": random.random(3000) < 0.002, "mostly": np.where(random.random(3000) < 0.95, 0, 7)}
    columns |= {f"big{k}": random.integers(100 * k, 100 * k + 90, 3000) for k in range(4)}  # one above the other by range
    gaps = pa.array(random.random(3000), mask=random.random(3000) < 0.1)
    assert find_rules(pa.table({**columns, "gaps": gaps, "gaps2": gaps.filter(pa.array([True] * 3000)).slice(0)}), 10) == [
        Total(total="gaps2", parts=("gaps",))
    ]


def test_columns_of_dictionaries_follow_rules() -> None:
    numbers = np.arange(400) % 8
    texts = pa.array([f"y{i // 2}" for i in numbers]).dictionary_encode()
    assert find_rules(pa.table({"a": [f"x{i}" for i in numbers], "b": texts}), 10) == [Dependence(parents=("a",), child="b")]


def test_small_and_empty_tables_follow_no_rules() -> None:
    assert find_rules(pa.table({"a": [1, 2], "b": [1, 2]}), 10) == []
    assert find_rules(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}), 10) == []
    assert find_rules(pa.table({"a": pa.nulls(50), "b": [[1]] * 50}), 10) == []


def test_a_large_table_is_looked_at_quickly() -> None:
    random, n = np.random.default_rng(0), 200_000
    columns = {f"n{k}": random.integers(0, 1000, n) for k in range(25)}
    columns |= {f"t{k}": pa.array(random.integers(0, 30, n)).cast(pa.string()) for k in range(25)}
    table = pa.table({**columns, "twice": columns["n3"] + columns["n4"]})
    start = time.process_time()
    rules = find_rules(table, 10)
    assert rules == [Total(total="twice", parts=("n3", "n4"))]
    assert time.process_time() - start < 8


def test_a_very_wide_table_is_looked_at_in_part() -> None:
    random = np.random.default_rng(0)
    rising = random.integers(0, 1000, 60) + random.integers(0, 5, (MAX_COLUMNS + 50, 60)).cumsum(0)
    table = pa.table({f"c{k}": column for k, column in enumerate(rising)})
    rules = find_rules(table, 10)
    assert len(rules) == MAX_RULES  # each column is below all later ones
    assert {name for rule in rules for name in rule.columns} <= set(table.schema.names[:MAX_COLUMNS])
