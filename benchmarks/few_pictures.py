"""`auto` on 50, 200 and 1,000 pictures of each kind: does augmentation help, and do samples copy?

python benchmarks/few_pictures.py [--counts 50 200 1000] [--minutes 2] [--runs DIR] [--table]     (wants `make data`)

A random part of the data is all that training has. Each run is `ganvas train --data PART --minutes M` on one thread, two at
once: without augmentation, with shifts alone, and with all of DiffAugment. The rest of the data judges 2,000 samples of the
last checkpoint by EfficientNet at 64 px, which `auto` learns from, and by VGG16, which it does not. "Copying" compares
distances to the part with distances to 1,000 pictures of the rest, by EfficientNet. What is in
benchmarks/results/few_pictures.jsonl is not done again.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from auto import PLACES
from families import wall
from PIL import Image as Picture
from second_judge import VGG16

import ganvas
from ganvas.core import Extractor, Features, RealFeatures
from ganvas.data import Files
from ganvas.data.dataset import open_data
from ganvas.extractors import EfficientNetLite0
from ganvas.media import Image
from ganvas.metrics import Copying
from ganvas.metrics.frechet import frechet_distance
from ganvas.metrics.neighbours import find_nearest_points, measure_kth_distances

KEPT, WALLS = Path("benchmarks/results/few_pictures.jsonl"), Path("docs/images/few")
SETS, UNSEEN = ("clothes", "emoji", "sprites"), 1000
NEVER = 10**9
VARIANTS = {"not augmented": (NEVER, NEVER), "shifted": (1, NEVER), "DiffAugment": (1, 1)}  # shift_from and augment_from


def split_pictures(data: str, count: int) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    """(`count` random pictures, up to 2,000 others, names of the first ones' classes)."""
    _, dataset, _ = open_data(Files(path=PLACES[data]), Image())
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))
    x, labels = dataset.columns["x"], dataset.columns.get("label")
    names = [""] * count if labels is None else [f"class-{int(label)}" for label in labels[order[:count]]]
    return x[order[:count]], x[order[count : count + 2000]], names


def write_pictures(stored: torch.Tensor, names: list[str], folder: Path) -> None:
    for number, (picture, name) in enumerate(zip(stored, names, strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Picture.fromarray(picture.squeeze(-1).numpy()).save(folder / name / f"{number:04}.png")


def train(part: Path, out: Path, minutes: float, shift_from: int, augment_from: int) -> None:
    words = ["--data", part, "--minutes", minutes, "--threads", 1, "--out", out]
    words += ["--choose.shift-from", shift_from, "--choose.augment-from", augment_from]
    command = [sys.executable, "-m", "ganvas", "train", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})


@cache
def extract_real_features(data: str, count: int, extractor: Extractor) -> tuple[np.ndarray, np.ndarray]:
    """Features of (the part, the rest)."""
    part, rest, _ = split_pictures(data, count)
    return extractor(part).features, extractor(rest).features


def judge(run: Path, data: str, count: int) -> dict[str, Any]:
    samples = torch.from_numpy(ganvas.load(run).generate(2000, seed=0, checkpoint="last"))
    scores: dict[str, Any] = {}
    for extractor in (EfficientNetLite0(size=64), VGG16()):
        known, real = extract_real_features(data, count, extractor)
        fake = extractor(samples).features
        coverage = (find_nearest_points(real, fake)[0] < measure_kth_distances(real, 5)).mean()
        scores[extractor.word] = {"frechet": float(frechet_distance(real, fake)), "coverage": float(coverage)}
        if isinstance(extractor, EfficientNetLite0):
            reals = RealFeatures(Features(real), Features(real), (Features(known),), Features(real[:UNSEEN]))
            scores |= Copying()(reals, Features(fake))
    return scores


def train_and_judge(data: str, count: int, variant: str, minutes: float, runs: Path) -> dict[str, Any]:
    folder, out = runs / f"{data}-{count}", runs / f"{data}-{count}-{variant.replace(' ', '-')}"
    train(folder, out, minutes, *VARIANTS[variant])
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    wall(ganvas.load(out), WALLS / f"{out.name}.png", rows=3)
    facts = {"data": data, "pictures": count, "variant": variant, "minutes": minutes, "samples": log[-1]["samples"]}
    row = facts | {"views": log[-1]["samples"] / count} | judge(out, data, count)
    with KEPT.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(describe(row), flush=True)
    return row


def describe(row: dict[str, Any]) -> str:
    judges = [f"{row[word]['frechet']:.0f} / {row[word]['coverage']:.3f}" for word in ("efficientnet", "vgg16")]
    copying = f"{row['copying']:.2f} ± {row['copying_std']:.2f}"
    return f"| {row['data']}, {row['pictures']} | {row['variant']} | {row['views']:.0f} | {' | '.join([*judges, copying])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", nargs="*", type=int, default=[50, 200, 1000])
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--runs", type=Path, default=Path("runs/few-pictures"))
    parser.add_argument("--table", action="store_true", help="only print what there is")
    got = parser.parse_args()
    rows = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    known = {(row["data"], row["pictures"], row["variant"]) for row in rows}
    jobs = [job for job in product(SETS, got.counts, VARIANTS) if job not in known and not got.table]
    for data, count in dict.fromkeys((data, count) for data, count, _ in jobs):
        if not (folder := got.runs / f"{data}-{count}").exists():
            part, _, names = split_pictures(data, count)
            write_pictures(part, names, folder)
    torch.set_num_threads(1)  # two runs at once: each has one core
    with ThreadPoolExecutor(2) as pool:
        rows += pool.map(lambda job: train_and_judge(*job, got.minutes, got.runs), jobs)
    print("| pictures | augmentation | views | EfficientNet: Fréchet / coverage | VGG16 | copying |\n|---|---|---|---|---|---|")
    print("\n".join(describe(row) for row in rows))


if __name__ == "__main__":
    main()
