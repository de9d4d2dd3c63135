"""The DCGAN recipe's training step against the loop that tutorials teach: same networks, loss, batch and optimisers.

The textbook loop is fp32 in the default memory layout, reads through a DataLoader with per-image Pillow transforms, makes the
fakes once a step, and lets gradients of G's step run into D's weights, as tutorials do. Rounds alternate, so that a
machine that changes speed changes both. Prints a table, and where the recipe's step spends its time.

    python benchmarks/dcgan.py [--size 32] [--rounds 3]
"""

import argparse
import statistics
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.profiler import profile
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from ganvas import recipes
from ganvas.core import Dataset, Spec
from ganvas.data import Files
from ganvas.data.dataset import open_data
from ganvas.recipe import Recipe
from ganvas.runs.state import build_state
from ganvas.system import device
from ganvas.training.loop import Loop

WARM, STEPS = 1, 4


class Pictures(TorchDataset[torch.Tensor]):
    """Resize, to a tensor, normalise: an image at a time, as torchvision's transforms do it."""

    def __init__(self, size: int) -> None:
        self.size, self.items = size, Files(path="fashion-embedded").items(())

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> torch.Tensor:
        picture = Image.fromarray(np.asarray(self.items[index])).resize((self.size, self.size), Image.Resampling.BILINEAR)
        return (torch.from_numpy(np.array(picture)).float().div(255)[None] - 0.5) / 0.5


def textbook(recipe: Recipe, spec: Spec, workers: int) -> float:
    """Images a second."""
    torch.manual_seed(0)
    batch = recipe.train.batch
    nets = build_state(recipe, spec, 0, torch.device("cpu")).nets.to(memory_format=torch.contiguous_format)
    G, D = nets["G"], nets["D"]
    d_step = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
    g_step = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    begun = 0.0
    for step, real in enumerate(DataLoader(Pictures(spec.shape[1]), batch, shuffle=True, drop_last=True, num_workers=workers)):
        if step == WARM:
            begun = time.perf_counter()
        D.zero_grad()
        bce(D(real), torch.ones(batch)).backward()
        fake = G(torch.rand(batch, 100) * 2 - 1)
        bce(D(fake.detach()), torch.zeros(batch)).backward()
        d_step.step()
        G.zero_grad()
        bce(D(fake), torch.ones(batch)).backward()
        g_step.step()
        if step == WARM + STEPS - 1:
            break
    return batch * STEPS / (time.perf_counter() - begun)


def engine(recipe: Recipe, data: Dataset, steps: int = STEPS) -> float:
    """Images a second."""
    state = build_state(recipe, data.spec, 0, torch.device("cpu"))
    ends: list[float] = []

    def watch(*_: object) -> bool:
        ends.append(time.perf_counter())
        return len(ends) == WARM + steps

    Loop(recipe, data, state, 0).train_to_budget(watch)
    return recipe.train.batch * steps / (ends[-1] - ends[WARM - 1])


def shares(recipe: Recipe, data: Dataset) -> dict[str, float]:
    """Where a step's time goes, by kind of operation."""
    kinds = (
        ("convolutions, backward", "convolution_backward"),
        ("convolutions, forward", "convolution"),
        ("batch norm", "batch_norm"),
        ("activations", "relu"),
        ("optimiser", "adam"),
    )
    with profile() as measured:
        engine(recipe, data, 2)
    times: Counter[str] = Counter()
    for event in measured.key_averages():
        kind = next((name for name, word in kinds if word in event.key.lower()), "the rest")
        times[kind] += event.self_cpu_time_total
    return {kind: value / sum(times.values()) for kind, value in times.most_common()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    recipe = recipes.find_recipe("dcgan")
    recipe = replace(recipe, data=Files(path="fashion-embedded"), medium=replace(recipe.medium, size=arguments.size))
    recipe = replace(recipe, train=replace(recipe.train, samples=10**12))
    _, data, _ = open_data(recipe.data, recipe.medium)
    spec = data.spec
    workers = max((0, 2), key=lambda count: textbook(recipe, spec, count))  # the quicker of the two
    rounds = [(textbook(recipe, spec, workers), engine(recipe, data)) for _ in range(arguments.rounds)]
    plain, ours = (statistics.median(speeds) for speeds in zip(*rounds, strict=True))
    precision = "bf16" if device.has_bf16(torch.device("cpu")) else "fp32"
    print(
        f"DCGAN, paper widths, {arguments.size} px, batch {recipe.train.batch}; median of {arguments.rounds} alternating rounds"
    )
    print(f"  textbook loop, fp32, DataLoader with {workers} workers   {plain:8.1f} images/s")
    print(f"  ganvas, {precision}, channels_last                        {ours:8.1f} images/s")
    print(f"  ratio                                             {ours / plain:8.2f}")
    print(f"  each round: {', '.join(f'{b / a:.2f}' for a, b in rounds)}")
    print("where the step's time goes: " + ", ".join(f"{kind} {share:.0%}" for kind, share in shares(recipe, data).items()))


if __name__ == "__main__":
    main()
