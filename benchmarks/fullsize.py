"""Full-size recipes for a few real steps on this machine: whether they fit into its memory and learn from what they are shown.

python benchmarks/fullsize.py [RECIPE …] [--steps 2] [--batch 4]

Each in a process of its own, on 64 of Noto's emoji brought to its size (wants `make data`), with smaller batches than the
recipe's; networks that grow are taken at their full size. A step is every phase that is due, the lazy ones in the first.
What they cost on a GPU: benchmarks/cost.py.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from ganvas import recipes
from ganvas.data import Files
from ganvas.data.dataset import open_data
from ganvas.runs.state import build_state
from ganvas.training import loop
from ganvas.training.loop import Loop
from ganvas.training.memory import estimate_memory_needs
from ganvas.training.monitor import measure_peak_memory_mb

EMOJI, SHOWN = Path("data/noto"), 64
RECIPES = (
    *("dcgan64", "sngan", "sagan", "biggan", "biggan_deep", "progan", "stylegan", "stylegan2", "stylegan2_ada"),
    *("stylegan2_cifar", "stylegan3_t", "stylegan3_r", "r3gan", "r3gan_ffhq64", "r3gan_ffhq256", "gat", "styleswin"),
)


def played(name: str, steps: int, batch: int) -> dict[str, float]:
    """Seconds a step, the process's peak of memory, what had been foreseen, and D's and G's losses of the last step."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(EMOJI.rglob("*.png"))[:SHOWN]:
            shutil.copyfile(path, Path(folder) / path.name)
        recipe = recipes.find_recipe(name)
        train = replace(recipe.train, samples=10**9, batch=batch, accumulate=1, precision="fp32")
        recipe = replace(recipe, data=Files(path=folder), train=train)
        _, data, _ = open_data(recipe.data, recipe.medium, is_quiet=True)
        state = build_state(recipe, data.spec, 0, torch.device("cpu"))
        last, _ = loop.locate_stages(recipe, state.nets)[-1]
        playing, began = Loop(recipe, data, state, 0), time.perf_counter()
        for step in range(steps):
            state.clock = last._replace(step=step)
            playing.train_step(recipe.method.stage(state.nets, state.clock), batch)
        found = {"seconds": (time.perf_counter() - began) / steps, "memory_mb": measure_peak_memory_mb()}
        foreseen = max(
            need.estimate_bytes(batch) for need in estimate_memory_needs(recipe, data, 0, torch.device("cpu"))
        )  # itself takes more
    found["foreseen_mb"], terms = foreseen / 2**20, playing.running_means.read_and_reset()["terms"]
    return found | {player: terms[f"{player}/adversarial"] for player in "DG"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--alone", help=argparse.SUPPRESS)  # a recipe, in this process
    got = parser.parse_args()
    if got.alone:
        print(json.dumps(played(got.alone, got.steps, got.batch)))
        return
    print(
        f"{got.steps} steps of {got.batch}\n\n| recipe | seconds a step | MB | foreseen | D | G |\n" + "|---" * 6 + "|",
        flush=True,
    )
    for name in got.recipes:
        command = [sys.executable, __file__, "--alone", name, "--steps", str(got.steps), "--batch", str(got.batch)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        cells = [f"{found['seconds']:.1f}", f"{found['memory_mb']:,.0f}", f"{found['foreseen_mb']:,.0f}"]
        print(f"| `{name}` | {' | '.join(cells)} | {found['D']:.3f} | {found['G']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
