"""Images a second on a GPU: recipes at 32, 64 and 128 px, fp32 and bf16, eager and compiled; and what `auto` reaches.

python benchmarks/gpu.py [RECIPE …] [--device cuda] [--train] [--data fashion data/crossfire]

Writes benchmarks/results/gpu.md. --train adds runs of `auto` of 2 and 20 minutes on each of --data. One run each; nothing
else may use the device meanwhile.
"""

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

import torch

import ganvas
from ganvas import recipes
from ganvas.core import Dataset
from ganvas.data import EncodedDataset
from ganvas.media import ImageCodec
from ganvas.recipe import Recipe
from ganvas.training.plan import Planner

RESULTS = Path(__file__).parent / "results" / "gpu.md"
SECONDS = 10.0  # a measurement
RECIPES = ("auto", "dcgan", "progan", "stylegan2", "stylegan3_t", "r3gan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--data", nargs="+", default=["fashion", "data/crossfire"])
    arguments = parser.parse_args()
    where = torch.device(arguments.device)
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else str(where)
    lines = [f"# Images a second on {name}, torch {torch.__version__}, batch {arguments.batch}", ""]
    lines += ["| recipe | px | precision | eager | compiled | its peak memory |", "|---|---|---|---|---|---|"]
    for recipe, size, precision in itertools.product(arguments.recipes, arguments.sizes, ("fp32", "bf16")):
        data = pictures(size).copy_to_device(where)
        rates = [rate(recipe, data, precision, compiled, arguments.batch, where) for compiled in (False, True)]
        # of the compiled one, which was measured last
        memory = f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GB" if where.type == "cuda" else ""
        lines.append(f"| `{recipe}` | {size} | {precision} | {rates[0]:,.0f} | {rates[1]:,.0f} | {memory} |")
        print(lines[-1], flush=True)
    if arguments.train:
        lines += ["", "| data | minutes | images | scores |", "|---|---|---|---|"]
        for data, minutes in itertools.product(arguments.data, (2, 20)):
            run = ganvas.train(
                "auto", data=data, minutes=minutes, out=f"runs/gpu-{Path(data).name}-{minutes}", device=arguments.device
            )
            card = run.score_cards[-1]
            scores = ", ".join(f"{key} {value:.4g}" for key, value in card["scores"].items())
            lines.append(f"| {data} | {minutes} | {card['images']:,} | {scores} |")
            print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def pictures(size: int) -> EncodedDataset:
    """Noise in three channels: speed does not look at it."""
    codec = ImageCodec(size=size, channels=3)
    return EncodedDataset(codec, {"x": torch.randint(0, 256, (4096, size, size, 3), dtype=torch.uint8)}, title="noise")


def rate(name: str, data: Dataset, precision: str, compiled: bool, batch: int, where: torch.device) -> float:
    """Images a second of training."""
    if where.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    recipe: Recipe = recipes.find_recipe(name)
    train = replace(recipe.train, precision=precision, compile=compiled, batch=batch)
    recipe = replace(recipe, train=train)
    return Planner(recipe, data, 0, where).measure_speed(recipe, SECONDS).samples_per_second


if __name__ == "__main__":
    main()
