"""`auto` on three kinds of pictures, judged by three networks and by its appearance: the tables of docs/results.md.

python benchmarks/auto.py [DATA:MINUTES …] [--runs DIR] [--table]     (wants `make data`)

Each run is `ganvas train --data DATA --minutes M` in a process of its own; leave the machine alone meanwhile. EfficientNet at
64 px, which `auto` learns from, and VGG16, which it does not, score 2,000 samples; the classifier scores clothes too. What is
in benchmarks/results/auto.jsonl is not done again. Walls of samples go to docs/images/auto.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from families import wall
from second_judge import VGG16

import ganvas
from ganvas.api import Run
from ganvas.extractors import Appearance, EfficientNetLite0, FashionClassifier
from ganvas.system.device import choose_device, describe_machine

PLACES = {"clothes": "fashion-embedded", "sprites": "data/crossfire", "emoji": "data/noto", "other emoji": "data/openmoji"}
SUITE = ["sprites:5", "emoji:5", "clothes:5", "other emoji:5", "clothes:20", "emoji:30"]
KEPT, WALLS = Path("benchmarks/results/auto.jsonl"), Path("docs/images/auto")


def train(data: str, minutes: float, out: Path) -> Run:
    place = "fashion" if data == "clothes" else PLACES[data]
    command = [sys.executable, "-m", "ganvas", "train", "--data", place, "--minutes", str(minutes), "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return ganvas.load(out)


def judge(run: Run, data: str) -> dict[str, Any]:
    """Score the better checkpoint by every judge."""
    judges = [EfficientNetLite0(size=64), VGG16(), Appearance()] + ([FashionClassifier()] if data == "clothes" else [])
    cards = {judge.word: ganvas.evaluate(run, data=PLACES[data], extractor=judge, n=2000) for judge in judges}
    return {word: {key: card[key] for key in ("scores", "floor", "protocol")} for word, card in cards.items()}


def describe(row: dict[str, Any]) -> str:
    def cell(word: str, *names: str) -> str:
        if word not in row["judges"]:
            return "–"
        scores, floor = row["judges"][word]["scores"], row["judges"][word]["floor"]
        values = (f"{scores[name]:.3g}" for name in names)
        return " / ".join(values) + f" ({' / '.join(f'{floor[name]:.3g}' for name in names)})"

    pairs = [cell(word, "frechet", "coverage") for word in ("efficientnet", "vgg16", "classifier")]
    detail = cell("appearance", "fine_detail")
    cells = [f"{row['data']}, {row['minutes']:g}", f"{row['samples']:,}", *pairs, detail]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", default=SUITE)
    parser.add_argument("--runs", type=Path, default=Path("runs/auto-suite"))
    parser.add_argument("--table", action="store_true", help="only print what there is")
    got = parser.parse_args()
    rows = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    for data, _, minutes in [] if got.table else [job.partition(":") for job in got.jobs]:
        if any((row["data"], row["minutes"]) == (data, float(minutes)) for row in rows):
            continue
        name = f"{data.replace(' ', '-')}-{minutes}"
        run = train(data, float(minutes), got.runs / name)
        wall(run, WALLS / f"{name}.png", rows=6)
        log = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
        facts = {"samples": log[-1]["samples"], "seconds": log[-1]["seconds"]}
        machine = describe_machine(choose_device("auto"))
        rows.append({"data": data, "minutes": float(minutes), **facts, "machine": machine, "judges": judge(run, data)})
        with KEPT.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(describe(rows[-1]), flush=True)
    print("| data, minutes | samples | EfficientNet: Fréchet / coverage (real) | VGG16 | classifier | fine detail |")
    print("|---|---|---|---|---|---|")
    print("\n".join(describe(row) for row in rows))


if __name__ == "__main__":
    main()
