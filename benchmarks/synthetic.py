"""Whether synthetic samples help a classifier of clothes: real, classically augmented, synthetic, and both.

python benchmarks/synthetic.py [--per-class 100 300 1000] [--seeds 0 1 2] [--minutes 2] [--runs DIR] [--table]

For each seed another subset of the training images; `ganvas train auto` on that subset alone makes a thousand synthetic ones
a class, by its last state (the best would be chosen by a classifier that has seen all images). All images are of 32 px, by the
same filter. Every classifier is the same network, with the same steps; accuracy is on the 10,000 test images, given for real
images alone, and for the others as the gain over it on the same subset. Results are kept in
benchmarks/results/synthetic.jsonl; what is there is not done again.
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

import ganvas
from ganvas import recipes
from ganvas.data import Files
from ganvas.data.dataset import open_data
from ganvas.extractors.small import build_fashion_classifier, prepare_channel_planes
from ganvas.media import Image
from ganvas.sampling.generator import Sampler
from ganvas.sampling.labelled_set import stream_class_samples

KEPT = Path("benchmarks/results/synthetic.jsonl")
BATCH, LR = 64, 1e-3
MADE = 1000  # synthetic samples a class
VARIANTS = ("real", "classical", "synthetic", "real + synthetic", "classical + synthetic")
STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}  # 95% of a mean of so many


def steps_of(per_class: int) -> int:
    """Of every classifier: at a thousand real images a class, a dozen passes over them."""
    return max(600, 2 * per_class)


def fashion() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(training images uint8 [N, 32, 32], labels, test images, labels), as `auto` sees them."""
    recipe = replace(recipes.find_recipe("auto"), data=Files(path="fashion"), medium=Image(size=32))
    _, training, test = open_data(recipe.data, recipe.medium)
    assert test is not None
    assert "label" in training.columns
    assert "label" in test.columns
    return training.columns["x"].squeeze(-1), training.columns["label"], test.columns["x"].squeeze(-1), test.columns["label"]


def shifted(x: Tensor, random: torch.Generator) -> Tensor:
    """Classical augmentation of [N, 1, 32, 32]: mirrored half of the time, moved by up to 3 pixels."""
    x = torch.where(torch.rand(len(x), 1, 1, 1, generator=random) < 0.5, x.flip(3), x)
    wide = pad(x, [3] * 4, value=-1.0)
    moves = torch.randint(0, 7, (len(x), 2), generator=random)
    return torch.stack([image[:, a : a + 32, b : b + 32] for image, (a, b) in zip(wide, moves.tolist(), strict=True)])


def accuracy(
    batch: Callable[[torch.Generator], tuple[Tensor, Tensor]], test: tuple[Tensor, Tensor], steps: int, seed: int
) -> float:
    """Of a classifier trained on batches, on the test images."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    net = build_fashion_classifier(nn.BatchNorm2d).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(net.parameters(), LR)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = LR * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        x, y = batch(random)
        optimiser.zero_grad()
        cross_entropy(net(x), y).backward()
        optimiser.step()
    net.eval()
    with torch.no_grad():
        right = [
            (net(prepare_channel_planes(x[..., None])).argmax(1) == y).float().sum()
            for x, y in zip(*(t.split(500) for t in test), strict=True)
        ]
    return float(torch.stack(right).sum() / len(test[1]))


def drawer(images: Tensor, labels: Tensor, classical: bool) -> Callable[[torch.Generator], tuple[Tensor, Tensor]]:
    def batch(random: torch.Generator) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(images), (BATCH,), generator=random)
        x = prepare_channel_planes(images[rows][..., None])
        return (shifted(x, random) if classical else x), labels[rows]

    return batch


def mixed(first: Callable[..., Any], second: Callable[..., Any]) -> Callable[[torch.Generator], tuple[Tensor, Tensor]]:
    """Half of each batch of the first, half of the second."""

    def batch(random: torch.Generator) -> tuple[Tensor, Tensor]:
        (a, y), (b, z) = first(random), second(random)
        return torch.cat([a[: BATCH // 2], b[: BATCH // 2]]), torch.cat([y[: BATCH // 2], z[: BATCH // 2]])

    return batch


def synthetic(images: Tensor, labels: Tensor, name: str, minutes: float, runs: Path) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """As many samples of each class, of a generator that saw these images alone; and how good it is."""
    runs.mkdir(parents=True, exist_ok=True)
    data = runs / f"{name}.npz"
    np.savez(data, x=images.numpy(), y=labels.numpy())
    run = ganvas.train("auto", data=data, minutes=minutes, out=runs / name, quiet=True)
    made, found = Sampler(run, "last"), list[Tensor]()
    for k in range(10):
        found += [block.squeeze(-1) for block in stream_class_samples(made, k, MADE, 0)]
    final = next(card for card in run.score_cards if card["kind"] == "final" and "last" in card["which"])
    return torch.cat(found), torch.arange(10).repeat_interleave(MADE), final["scores"] | {"n": final["protocol"]["samples"]}


def kept() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []


def table(rows: list[dict[str, Any]]) -> str:
    """Accuracy of real images alone, and the others' gain over it, in points, ± 95% intervals of the means."""
    heads = ["real images a class", *VARIANTS, "generator: frechet, coverage (samples)"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for count in sorted({row["per_class"] for row in rows}):
        own = [row for row in rows if row["per_class"] == count]
        cells = [f"{count:,} ({len(own)} seeds)"]
        for variant in VARIANTS:
            alone = variant == "real"
            values = [100 * (row["accuracy"][variant] - (0 if alone else row["accuracy"]["real"])) for row in own]
            spread = STUDENT[len(values)] * stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
            cells.append(f"{mean(values):{'.1f' if alone else '+.1f'}} ± {spread:.1f}")
        scores = [mean(row["generator"][name] for row in own) for name in ("frechet", "coverage", "n")]
        lines.append(f"| {' | '.join([*cells, f'{scores[0]:.2f}, {scores[1]:.2f} ({scores[2]:,.0f})'])} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--runs", type=Path, default=Path("runs/synthetic"))
    parser.add_argument("--table", action="store_true", help="only print the table of what there is")
    got = parser.parse_args()
    if not got.table:
        images, labels, *test = fashion()
        for count in got.per_class:
            for seed in got.seeds:
                if any((row["per_class"], row["seed"], row["minutes"]) == (count, seed, got.minutes) for row in kept()):
                    continue
                random = torch.Generator().manual_seed(seed)
                order = torch.randperm(len(images), generator=random)
                rows = torch.cat([order[labels[order] == k][:count] for k in range(10)])
                own, truth = images[rows], labels[rows]
                fake, asked, scores = synthetic(own, truth, f"{count}-{seed}", got.minutes, got.runs)
                drawers = {variant: drawer(own, truth, variant == "classical") for variant in ("real", "classical")}
                drawers["synthetic"] = drawer(fake, asked, False)
                for variant in ("real", "classical"):
                    made = drawer(fake, asked, variant == "classical")
                    drawers[f"{variant} + synthetic"] = mixed(drawers[variant], made)
                steps = steps_of(count)
                found = {variant: accuracy(drawers[variant], (test[0], test[1]), steps, seed) for variant in VARIANTS}
                line = {"per_class": count, "seed": seed, "minutes": got.minutes, "accuracy": found, "generator": scores}
                with KEPT.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(count, seed, {variant: round(value, 4) for variant, value in found.items()}, flush=True)
    print(table([row for row in kept() if row["minutes"] == got.minutes]))


if __name__ == "__main__":
    main()
