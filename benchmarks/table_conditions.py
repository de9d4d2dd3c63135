"""Rows under conditions: how near the other columns come to the real rows that fulfil them. Six questions on Adult.

python benchmarks/table_conditions.py RUN     (a run of benchmarks/tables.py on Adult; wants `make data-tables`)

"real halves" compares one half of the real rows that fulfil the condition with the other, "all rows" the whole table with them.
"""

import sys
import time

import numpy as np
import pyarrow as arrow
import pyarrow.compute as compute
from tables import make_plain, read_part

import ganvas
from ganvas.core import PlainTable
from ganvas.metrics.tables import score_shapes

COUNT = 20_000
QUESTIONS: tuple[dict[str, object], ...] = (
    {"education": "Masters", "gender": "Female"},
    {"loan": ">50K"},
    {"age": 70},
    {"workclass": "Self-emp-inc", "marital-status": "Divorced"},
    {"age": (30, 40)},
    {"hours-per-week": (50, 60), "loan": ">50K"},
)


def choose(table: arrow.Table, where: dict[str, object]) -> arrow.Table:
    for name, value in where.items():
        low, high = value if isinstance(value, tuple) else (value, value)
        column = table[name]
        table = table.filter(compute.and_(compute.greater_equal(column, low), compute.less_equal(column, high)))
    return table


def compare(a: PlainTable, b: PlainTable, where: dict[str, object]) -> float:
    """The mean shape of the columns that the condition does not name."""
    return float(np.mean([value for name, value in score_shapes(a, b).items() if name not in where]))


def main() -> None:
    run, table = ganvas.load(sys.argv[1]), read_part("adult", "train")
    print("| condition | real rows | hold | rows/s | generated | real halves | all rows |\n|---|---|---|---|---|---|---|")
    for where in QUESTIONS:
        real = choose(table, where)
        start = time.perf_counter()
        rows = run.rows(COUNT, where=where, checkpoint="last").select(table.schema.names).cast(table.schema)
        rate, held = COUNT / (time.perf_counter() - start), len(choose(rows, where)) / COUNT
        order = np.random.default_rng(0).permutation(len(real))
        halves = [make_plain(real.take(arrow.array(part))) for part in np.array_split(order, 2)]
        scores = (
            compare(make_plain(real), make_plain(rows), where),
            compare(*halves, where),
            compare(make_plain(real), make_plain(table), where),
        )
        cells = " | ".join(f"{score:.3f}" for score in scores)
        print(
            f"| {', '.join(f'{k} = {v}' for k, v in where.items())} | {len(real):,} | {held:.0%} | {rate:,.0f} | {cells} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
