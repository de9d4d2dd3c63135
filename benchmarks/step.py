"""Where a training step's time goes, and how much of the machine's arithmetic it uses, on an otherwise idle machine.

python benchmarks/step.py [RECIPE]

The limit is the rate of a matrix product of 2048; operations are counted by torch from the shapes (convolutions and matrix
products, forward and backward), so that what is neither counts as nothing.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from ganvas import recipes
from ganvas.core import Dataset
from ganvas.data.dataset import open_data
from ganvas.optim import moving_average
from ganvas.recipe import Recipe
from ganvas.runs.state import State, build_state
from ganvas.system import device
from ganvas.training.loop import Loop
from ganvas.training.plan import Planner

CPU = torch.device("cpu")
SECONDS = 10.0


def limit(dtype: torch.dtype) -> float:
    """Operations a second of a matrix product."""
    a, b = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
    return 2 * 2048**3 / seconds(lambda: a @ b, 10)


def seconds(call: Callable[[], object], times: int) -> float:
    """The best of `times` calls, after one."""
    call()
    found: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return min(found)


def operations(recipe: Recipe, data: Dataset) -> float:
    """Of a step, an image."""
    playing = started(recipe, data)
    with FlopCounterMode(display=False) as counter:
        playing.train_step(recipe.method.stage(playing.state.nets, playing.state.clock), recipe.train.batch)
    return counter.get_total_flops() / recipe.train.batch


def started(recipe: Recipe, data: Dataset) -> Loop:
    state = build_state(recipe, data.spec, 0, CPU)
    return Loop(recipe, data, state, 0)


def beside(recipe: Recipe, data: Dataset) -> dict[str, float]:
    """Seconds a step of what is not the networks: reading batches, the moving average, the optimisers."""
    playing = started(recipe, data)
    state: State = playing.state
    playing.train_step(recipe.method.stage(state.nets, state.clock), recipe.train.batch)
    batch, train = recipe.train.batch, recipe.train
    for parameter in state.nets.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return {
        "batches, two a step": 2 * seconds(lambda: data.batch(1, batch), 50),
        "moving average": seconds(
            lambda: moving_average.update_average(
                state.average, state.nets, batch=batch, samples=10**6, kimg=train.ema_kimg, ramp=0.0
            ),
            50,
        ),
        "optimisers": seconds(lambda: [optimiser.step() for optimiser in state.optims.values()], 50),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="?", default="auto")
    recipe = recipes.find_recipe(parser.parse_args().recipe)
    precision = "bf16" if device.has_bf16(CPU) else "fp32"
    recipe = replace(recipe, choose=None, train=replace(recipe.train, minutes=None, samples=10**12, precision=precision))
    _, data, _ = open_data(recipe.data, recipe.medium)
    rates = {"fp32": limit(torch.float32)} | ({"bf16": limit(torch.bfloat16)} if precision == "bf16" else {})
    work, speed = operations(recipe, data), Planner(recipe, data, 0, CPU).measure_speed(recipe, SECONDS).samples_per_second
    again = limit(torch.float32 if precision == "fp32" else torch.bfloat16)
    print(f"`{recipe.name}`, batch {recipe.train.batch}, {precision}, {torch.get_num_threads()} threads")
    for name, rate in rates.items():
        print(f"  a matrix product, {name:<32}{rate / 1e9:10.0f} GFLOP/s")
    print(f"  the same, once more at the end                    {again / 1e9:10.0f} GFLOP/s")
    print(f"  a step, counted                                   {work / 1e6:10.1f} MFLOP an image")
    print(f"  a step, measured                                  {speed:10.0f} images/s")
    print(f"  so it computes                                    {work * speed / 1e9:10.0f} GFLOP/s")
    print(f"  of the limit (the mean of both)                   {2 * work * speed / (rates[precision] + again):10.0%}")
    step = recipe.train.batch / speed
    for name, taken in beside(recipe, data).items():
        print(f"  {name:<50}{taken / step:10.1%} of a step")


if __name__ == "__main__":
    main()
