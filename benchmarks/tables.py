"""Generators of rows on tables that they have not seen the test part of: the figures of docs/results.md on tables.

python benchmarks/tables.py [TABLE:RECIPE:MINUTES …] [--seeds 0 1 2] [--runs DIR] [--table]     (wants `make data-tables`)

Each run is `ganvas train RECIPE --data data/tables/TABLE/train.csv --minutes M` in a process of its own: leave the machine
alone. Scores are of the last checkpoint, as files are: as many rows as training has, against the training rows as they are
in their file, numbers with all their digits. "detection" is the AUC of boosted trees, out of fold, on 20,000 rows of each.
"efficacy" trains trees on the rows and tests them on the test part (of a number: R² of its logarithm). What is in
benchmarks/results/tables.jsonl is not done again.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.csv
import torch

import ganvas
from ganvas.core import PlainTable
from ganvas.media.table.plain import read_plain_table, read_value_kind
from ganvas.metrics.tables import detect_rows, score_efficacy, score_pair_trends, score_shapes, shuffle_columns
from ganvas.system.device import describe_machine

DATA, KEPT = Path("data/tables"), Path("benchmarks/results/tables.jsonl")
TARGETS = {"adult": "loan", "diamonds": "price", "flights": "arr_delay", "credit": "LateApril"}
JOBS = [
    "adult:table:0.5",
    "adult:table:1",
    "adult:table:10",
    "diamonds:table:0.667",
    "diamonds:table:5",
    "credit:table:1",
    "flights:table:5",
]
SCORES = ("shapes", "pairs", "detection", "efficacy")


def read_part(name: str, part: str) -> arrow.Table:
    return pyarrow.csv.read_csv(DATA / name / f"{part}.csv")


def make_plain(rows: arrow.Table) -> PlainTable:
    return read_plain_table(rows, {field.name: read_value_kind(field.type) for field in rows.schema})


def score(name: str, train: PlainTable, fake: PlainTable, test: PlainTable) -> dict[str, float]:
    efficacy = score_efficacy(train, fake, test, TARGETS[name], takes_logarithm=name == "diamonds")
    return {
        "shapes": float(np.mean([*score_shapes(train, fake).values()])),
        "pairs": score_pair_trends(train, fake).mean,
        "detection": detect_rows(train, fake, weighs_columns=False).auc,
        "efficacy": efficacy.synthetic,
    }


def score_floors(name: str) -> dict[str, dict[str, float]]:
    """Real rows in the place of generated ones, and columns that have nothing to do with each other."""
    train, test = (make_plain(read_part(name, part)) for part in ("train", "test"))
    real = {
        "shapes": float(np.mean([*score_shapes(train, test).values()])),
        "pairs": score_pair_trends(train, test).mean,
        "detection": detect_rows(train, test, weighs_columns=False).auc,
        "efficacy": score_efficacy(train, train, test, TARGETS[name], takes_logarithm=name == "diamonds").real,
    }
    return {"real": real, "independent": score(name, train, shuffle_columns(train, np.random.default_rng(0)), test)}


def train(name: str, recipe: str, minutes: float, seed: int, out: Path) -> Any:
    words = [sys.executable, "-m", "ganvas", "train", recipe, "--data", str(DATA / name / "train.csv"), "--seed", str(seed)]
    subprocess.run([*words, "--minutes", str(minutes), "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    return ganvas.load(out)


def measure(job: str, seed: int, runs: Path) -> dict[str, Any]:
    name, recipe, minutes = job.split(":")
    run = train(name, recipe, float(minutes), seed, runs / f"{name}-{recipe}-{minutes}-{seed}")
    table, (train_rows, test_rows) = read_part(name, "train"), (make_plain(read_part(name, part)) for part in ("train", "test"))
    start = time.perf_counter()
    rows = run.rows(len(table), seed=0, checkpoint="last").select(table.schema.names).cast(table.schema)
    rate = len(table) / (time.perf_counter() - start)
    log = run.read_lines("log.jsonl")[-1]
    return {
        "job": job, "seed": seed, "samples": log["samples"], "seconds": log["seconds"], "rows_per_second": round(rate),
        "machine": describe_machine(torch.device("cpu")), "scores": score(name, train_rows, make_plain(rows), test_rows),
    }  # fmt: skip


def describe(row: dict[str, Any]) -> str:
    values = " | ".join(f"{row['scores'][name]:.3f}" for name in SCORES)
    return f"| {row['job']}, seed {row['seed']} | {row['samples']:,} | {row['rows_per_second']:,} | {values} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", default=JOBS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs/tables"))
    parser.add_argument("--table", action="store_true", help="only print what there is, and floors")
    got = parser.parse_args()
    rows: list[dict[str, Any]] = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    known = {(row["job"], row["seed"]) for row in rows}
    print(f"| | rows seen | rows/s | {' | '.join(SCORES)} |\n|---|---|---|{'---|' * len(SCORES)}")
    print("\n".join(map(describe, rows)))
    for name in dict.fromkeys(job.split(":")[0] for job in got.jobs):
        for what, scores in score_floors(name).items():
            print(f"| {name}, {what} | | | {' | '.join(f'{scores[key]:.3f}' for key in SCORES)} |", flush=True)
    for job in [] if got.table else got.jobs:
        for seed in got.seeds:
            if (job, seed) not in known:
                row = measure(job, seed, got.runs)
                with KEPT.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(describe(row), flush=True)


if __name__ == "__main__":
    main()
