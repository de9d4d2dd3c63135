"""Two tables by a key: children follow from their parents, and every child has one."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyarrow.csv
import pytest

import ganvas
from ganvas import cli
from ganvas.data import Rows
from ganvas.errors import GanvasError

TRAIN = ["--samples", "40000", "--nets.width", "32", "--nets.d-widths", "32", "--train.batch", "100", "--train.snapshots", "1"]


def write_shop(folder: Path, count: int = 400) -> tuple[str, str]:
    """Customers of two regions; those of the north order twice as often, and dear things alone."""
    random = np.random.default_rng(0)
    north = random.random(count) < 0.5
    customers = {
        "customer": [f"c{k:04}" for k in range(count)],
        "region": np.where(north, "north", "south"),
        "age": random.integers(20, 70, count),
    }
    numbers = np.where(north, 4, 2)
    owner = np.repeat(np.arange(count), numbers)
    price = np.where(north[owner], random.normal(100, 5, len(owner)), random.normal(10, 2, len(owner))).round(2)
    orders = {"order": [f"o{k:06}" for k in range(len(owner))], "customer": [f"c{k:04}" for k in owner], "price": price}
    paths = str(folder / "customers.csv"), str(folder / "orders.csv")
    for path, table in zip(paths, (customers, orders), strict=True):
        pyarrow.csv.write_csv(arrow.table(table), path)
    return paths


def test_children_of_generated_parents(tmp_path: Path) -> None:
    customers, orders = write_shop(tmp_path)
    runs = tmp_path / "customers", tmp_path / "orders"
    words = [["--data", customers, "--data.children", orders], ["--data", orders, "--data.parent", customers]]
    for run, data in zip(runs, words, strict=True):
        assert cli.main(["train", *data, "--data.key", "customer", "--out", str(run), *TRAIN]) == 0
    new_customers, new_orders = tmp_path / "new" / "customers.csv", tmp_path / "new" / "orders.csv"
    assert cli.main(["generate", str(runs[0]), "--n", "300", "--out", str(new_customers)]) == 0
    assert cli.main(["generate", str(runs[1]), "--parents", str(new_customers), "--out", str(new_orders)]) == 0
    parents, children = pyarrow.csv.read_csv(new_customers), pyarrow.csv.read_csv(new_orders)
    assert children.schema.names == ["customer", "order", "price"]
    wanted = dict(zip(parents["customer"].to_pylist(), parents["count of orders"].to_pylist(), strict=True))
    assert Counter(children["customer"].to_pylist()) == {key: count for key, count in wanted.items() if count}
    region = dict(zip(parents["customer"].to_pylist(), parents["region"].to_pylist(), strict=True))
    prices = {
        name: [
            price
            for key, price in zip(children["customer"].to_pylist(), children["price"].to_pylist(), strict=True)
            if region[key] == name
        ]
        for name in ("north", "south")
    }
    assert np.mean(prices["north"]) > 2 * np.mean(prices["south"])
    assert ganvas.load(runs[1]).recipe.data.key == "customer"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, o: (c, [*o, "o9,nobody,3.0"]), "rows whose customer is not in customers.csv .nobody"),
        (lambda c, o: ([*c, c[1]], o), "several rows with customer = 'c0000'"),
        (lambda c, o: (["buyer" + c[0][8:], *c[1:]], o), "customers.csv has no column 'customer' to join by"),
        (lambda c, o: (c, [*o, "o9,,3.0"]), "1 rows without a customer"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(tmp_path: Path, change, message: str) -> None:
    paths = write_shop(tmp_path, 40)
    lines = change(*([line.replace('"', "") for line in Path(path).read_text().splitlines()] for path in paths))
    for path, text in zip(paths, lines, strict=True):
        Path(path).write_text("\n".join(text) + "\n")
    with pytest.raises(GanvasError, match=message):
        list(Rows(path=paths[1], parent=paths[0], key="customer").items(()).read_blocks())


def test_a_key_is_needed() -> None:
    with pytest.raises(GanvasError, match="set `key`"):
        Rows(path="a.csv", parent="b.csv")


def test_a_run_without_parents_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    customers, _ = write_shop(tmp_path)
    assert cli.main(["train", "--data", customers, "--out", str(tmp_path / "run"), *TRAIN, "--samples", "200"]) == 0
    assert cli.main(["generate", str(tmp_path / "run"), "--parents", customers, "--out", str(tmp_path / "a.csv")]) == 1
    assert "trained without parents" in capsys.readouterr().err
