"""What the engine itself costs, on an otherwise idle machine: one table.

make demo && python benchmarks/engine.py
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import prototype
import torch
from PIL import Image

from ganvas import recipes
from ganvas.data import Files, prepare_dataset
from ganvas.data.dataset import open_data
from ganvas.media import Image as Medium
from ganvas.metrics import frechet_distance
from ganvas.nets import Compact
from ganvas.runs.folder import RunFolder
from ganvas.runs.state import build_state
from ganvas.system import device
from ganvas.training.loop import Loop
from ganvas.training.resuming import replace_budget


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """The median of `times` runs."""
    taken: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def help_time() -> float:
    return seconds(lambda: subprocess.run([sys.executable, "-m", "ganvas", "--help"], check=True, capture_output=True), 5)


def frechet_time() -> float:
    generator = np.random.default_rng(0)
    real, fake = (generator.standard_normal((10_000, 2048)) for _ in range(2))
    return seconds(lambda: frechet_distance(real.copy(), fake), 3)  # of one array it remembers the moments


def cache_times(folder: Path) -> tuple[float, float]:
    """70,000 images of 28 px to 32 px: as one array, and as PNG files."""
    pictures = np.random.default_rng(0).integers(0, 256, (70_000, 28, 28), dtype=np.uint8)
    np.save(folder / "images.npy", pictures)
    (folder / "png").mkdir()
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / "png" / f"{number:05}.png", compress_level=1)

    def cached(path: Path, cache: Path) -> None:
        items = Files(path=str(path)).items(Medium().suffixes)
        prepare_dataset(items, Medium().fit(items), cache, quiet=True)

    return tuple(seconds(lambda p=p: cached(folder / p, folder / f"cache-{p}")) for p in ("images.npy", "png"))  # type: ignore[return-value]


def speeds(rounds: int = 5, steps: int = 60) -> tuple[float, float]:
    """Images a second of the prototype's networks through the engine and as a plain loop, in alternating rounds."""
    recipe = replace(recipes.find_recipe("auto"), nets=Compact(g_width=32, d_width=16, labels=False), choose=None)
    _, data, _ = open_data(recipe.data, recipe.medium)
    recipe = replace_budget(recipe, None, 64 * steps)
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(rounds):
        state = build_state(recipe, data.spec, 0, torch.device("cpu"))
        playing = Loop(recipe, data, state, 0)
        ours.append(64 * steps / seconds(lambda playing=playing: playing.train_to_budget(lambda *_: False)))
        _, seen, taken = prototype.train(data.columns["x"], 0, 64 * steps, device.has_bf16(torch.device("cpu")))
        plain.append(seen / taken)
    return statistics.median(ours), statistics.median(plain)


def overhead(run: RunFolder) -> float:
    """The share of a run that sampling, scoring, checkpoints and logging took; the final card aside.

    A report's rate counts the time since the report before, without snapshots; the rest of the run's seconds is the share.
    """
    lines = [{"samples": 0}, *run.read_lines("log.jsonl")]
    training = sum((b["samples"] - a["samples"]) / b["samples_per_second"] for a, b in pairwise(lines))
    return 1 - training / lines[-1]["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="runs/demo", help="a finished run of about three minutes, to read its overhead from")
    arguments = parser.parse_args()
    print(f"{'what':<62}{'measured':>12}{'goal':>12}")
    print(f"{'ganvas --help, seconds':<62}{help_time():>12.2f}{'0.4':>12}")
    print(f"{'Fréchet distance of 2 x 10,000 x 2048, seconds':<62}{frechet_time():>12.1f}{'4':>12}")
    with tempfile.TemporaryDirectory() as folder:
        array, files = cache_times(Path(folder))
        print(f"{'70,000 images of 28 px cached from an array, seconds':<62}{array:>12.1f}{'20':>12}")
        print(f"{'70,000 images of 28 px cached from PNG files, seconds':<62}{files:>12.1f}{'20':>12}")
        ours, plain = speeds()
        print(f"{'auto, images/s through the engine (plain loop: ' + f'{plain:.0f})':<62}{ours:>12.0f}{'':>12}")
        print(f"{'  ratio':<62}{ours / plain:>12.2f}{'1':>12}")
    if RunFolder.is_run_folder(Path(arguments.run)):
        run = RunFolder(arguments.run)
        seconds_taken = run.read_lines("log.jsonl")[-1]["seconds"]
        what = f"samples, scores, checkpoints, log, of {seconds_taken:.0f} s"
        print(f"{what:<62}{overhead(run):>12.1%}{'5%':>12}")


if __name__ == "__main__":
    main()
