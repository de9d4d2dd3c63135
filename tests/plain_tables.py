"""Tables to test scores and attacks with: drawn from a distribution with dependences, and Adult from its file."""

import csv
from pathlib import Path

import numpy as np
import pytest

from ganvas.core import PlainTable

ADULT = Path(__file__).parents[1] / "data" / "xai" / "xai" / "data" / "census.csv"


def draw_table(n: int, seed: int, missing: float = 0.1) -> PlainTable:
    """Six columns: two dependent numbers, one with missing values, whole numbers, and two dependent categories."""
    rng = np.random.default_rng(seed)
    group = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    age = rng.normal(30 + 5 * group, 8)
    income = np.exp(rng.normal(age / 20, 0.6))
    gaps = np.where(rng.random(n) < missing, np.nan, rng.normal(group, 1))
    hours = np.where(rng.random(n) < 0.4, 40.0, rng.integers(1, 80, n))
    answer = (rng.random(n) < 1 / (1 + np.exp(2 - income / 3))).astype(np.int64)
    return PlainTable(
        ("group", "age", "income", "gaps", "hours", "answer"),
        ("category", "number", "number", "number", "number", "category"),
        (group.astype(np.int64), age, income, gaps, hours, answer),
    )


def skip_without_adult() -> None:
    if not ADULT.exists():
        pytest.skip(f"{ADULT} is missing: make data-tables fetches it")


def read_adult() -> tuple[PlainTable, PlainTable]:
    """(26,049 training rows, 6,512 test rows) of Adult, shuffled with seed 0."""
    with ADULT.open(encoding="utf-8", newline="") as file:
        names, *lines = csv.reader(file, skipinitialspace=True)
    order = np.random.default_rng(0).permutation(len(lines))
    columns = [np.array(column)[order] for column in zip(*(line[1:] for line in lines), strict=True)]
    is_number = [all(value.lstrip("-").isdigit() for value in column) for column in columns]
    values = [
        column.astype(np.float64) if number else np.unique(column, return_inverse=True)[1].astype(np.int64)
        for column, number in zip(columns, is_number, strict=True)
    ]
    table = PlainTable(tuple(names[1:]), tuple("number" if n else "category" for n in is_number), tuple(values))
    count = len(table) // 5
    return table.take(slice(count, None)), table.take(slice(count))
