"""Generators of time series: the figures of docs/results.md on series.

python benchmarks/series.py [SET:RECIPE:BUDGET …] [--seeds 0 1] [--runs DIR] [--data DIR] [--table]  (wants `make data-tables`)

Each run is `ganvas train RECIPE --data data/tables/SET/train.csv` in a process of its own: leave the machine alone. A budget
is minutes, or with an "s" the number of windows to see ("130000s"). Scores are those of the run's own card, beside its floor.
"joins" says how much steps where windows of long series meet are like steps within them (1 is equal). What is in
benchmarks/results/series.jsonl is not done again.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ganvas
from ganvas.core import PlainSeries
from ganvas.media.series import build_plain_series
from ganvas.metrics.series import score_step_shapes
from ganvas.sampling.generator import open_sampler
from ganvas.sampling.windows import WindowFiller, build_filler, can_fill_windows, stream_long_series
from ganvas.system.device import describe_machine

DATA, KEPT, WINDOW = Path("data/tables"), Path("benchmarks/results/series.jsonl"), 24
SETS = {"jfk": ["--time", "time_hour"], "sp500": ["--time", "date"], "italy": ["--key", "day", "--time", "hour"]}
JOBS = ["jfk:series:3", "sp500:series:3", "italy:series:3", "jfk:series:10"]
SCORES = ("detection", "shapes", "steps", "autocorrelation", "crosscorrelation", "forecast", "joins")
LONG_SERIES, LONG_STEPS = 64, 10 * WINDOW


def train(name: str, recipe: str, budget: str, seed: int, data: Path, out: Path) -> Any:
    words = [sys.executable, "-m", "ganvas", "train", recipe, "--data", str(data / name / "train.csv"), "--seed", str(seed)]
    words += ["--samples", budget[:-1]] if budget.endswith("s") else ["--minutes", budget]
    words += ["--window", str(WINDOW), *SETS[name], "--out", str(out)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return ganvas.load(out)


def score_joins(filler: WindowFiller) -> float:
    """Steps from the last row of a window to the first of the next, against all other steps behind the first window."""
    codec = filler.codec
    codes = torch.cat(list(stream_long_series(filler, LONG_SERIES, LONG_STEPS)))
    series = np.repeat(np.arange(LONG_SERIES), LONG_STEPS)
    rows = codec.decode_rows(codes.flatten(0, 1).long().numpy(), series)
    joins = np.arange(codec.window, LONG_STEPS, codec.window - codec.window // 2)
    inside = np.setdiff1d(np.arange(codec.window, LONG_STEPS), joins)
    sides = list[PlainSeries]()
    for places in (inside, joins):
        starts = (np.arange(LONG_SERIES)[:, None] * LONG_STEPS + places - 1).ravel()
        pairs = build_plain_series(codec, rows, starts, np.full(len(starts), 2))
        sides.append(PlainSeries(pairs.names, pairs.kinds, tuple(v[:, :2] for v in pairs.values), pairs.lengths))
    return float(np.mean([*score_step_shapes(*sides).values()]))


def measure(job: str, seed: int, runs: Path, data: Path) -> dict[str, Any]:
    name, recipe, budget = job.split(":")
    run = train(name, recipe, budget, seed, data, runs / f"{name}-{recipe}-{budget}-{seed}")
    return describe_run(job, seed, run)


def describe_run(job: str, seed: int, run: Any) -> dict[str, Any]:
    """The figures of a run that is there."""
    card, log, sampler = run.score_cards[-1], run.read_lines("log.jsonl")[-1], open_sampler(run, "last")
    start = time.perf_counter()
    sampler(2_000)
    rate = 2_000 / (time.perf_counter() - start)
    can_fill = can_fill_windows(sampler.method, sampler.nets, sampler.codec)
    joins = {"joins": score_joins(build_filler(sampler))} if can_fill else {}
    return {
        "job": job, "seed": seed, "samples": log["samples"], "seconds": log["seconds"], "windows_per_second": round(rate),
        "machine": describe_machine(torch.device("cpu")), "scores": card["scores"] | joins, "floor": card["floor"],
    }  # fmt: skip


def describe(row: dict[str, Any]) -> str:
    lines = [f"{row['job']}, seed {row['seed']} | {row['samples']:,} | {row['windows_per_second']:,}", "real | | "]
    cells = [[f"{part[name]:.3f}" if name in part else "" for name in SCORES] for part in (row["scores"], row["floor"])]
    return "\n".join(f"| {line} | {' | '.join(values)} |" for line, values in zip(lines, cells, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", default=JOBS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/series"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--table", action="store_true", help="only print what there is")
    got = parser.parse_args()
    rows: list[dict[str, Any]] = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    known = {(row["job"], row["seed"]) for row in rows}
    print(f"| | windows seen | windows/s | {' | '.join(SCORES)} |\n|---|---|---|{'---|' * len(SCORES)}")
    print("\n".join(map(describe, rows)), flush=True)
    for job in [] if got.table else got.jobs:
        for seed in got.seeds:
            if (job, seed) not in known:
                row = measure(job, seed, got.runs, got.data)
                with KEPT.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(describe(row), flush=True)


if __name__ == "__main__":
    main()
