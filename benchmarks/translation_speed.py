"""Steps of CycleGAN and pix2pix here, and as they are usually written, on the same networks at the papers' widths.

python benchmarks/translation_speed.py [--size 128] [--rounds 3] [--threads 2]

The usual step: fp32, channels first, Adam without fusing, and generators run again for the critics' step. Ours is the recipe's,
in the precision that the processor takes. Rounds alternate; the quickest of each counts. Leave the machine alone meanwhile.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from ganvas.core import Batch, Spec
from ganvas.data import ColumnsCodec
from ganvas.data.columns import load_batch
from ganvas.media import ImageCodec
from ganvas.media.conditions import derive_sample_condition
from ganvas.recipes import find_recipe
from ganvas.runs.state import build_state
from ganvas.system.device import has_bf16
from ganvas.training.loop import Loop


class RandomPairs:
    """A data set of random pictures, source and x."""

    title = fingerprint = "random"

    def __init__(self, size: int) -> None:
        self.codec = ColumnsCodec(columns={name: ImageCodec(size=size, channels=3) for name in ("x", "source")})
        self.columns = {name: torch.randint(0, 256, (8, size, size, 3), dtype=torch.uint8) for name in ("x", "source")}
        self.conditions = {"source": derive_sample_condition(self.codec.columns["source"], self.columns["source"])}

    @property
    def spec(self) -> Spec:
        return self.codec.spec._replace(conditions=self.conditions)

    def __len__(self) -> int:
        return 8

    def batch(self, seed: int, size: int) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randint(8, (size,), generator=generator)
        return load_batch(self.codec, {name: column[rows] for name, column in self.columns.items()}, generator)


def build_our_step(name: str, size: int) -> Callable[[], None]:
    """A step of the recipe by the training loop."""
    recipe, data = find_recipe(name), RandomPairs(size)
    precision = "bf16" if has_bf16(torch.device("cpu")) else "fp32"
    recipe = replace(recipe, train=replace(recipe.train, samples=10**6, precision=precision))
    state = build_state(recipe, data.spec, 0, torch.device("cpu"))
    loop, stage = Loop(recipe, data, state, 0), recipe.method.stage(state.nets, state.clock)
    return lambda: loop.train_step(stage, recipe.train.batch)


def build_usual_step(name: str, size: int) -> Callable[[], None]:
    """The same losses on the same networks, written as in the authors' scripts."""
    recipe, data = find_recipe(name), RandomPairs(size)
    nets = recipe.nets.build(data.spec).to(memory_format=torch.contiguous_format)
    adams = [
        torch.optim.Adam(chain(*(nets[n].parameters() for n in names)), 2e-4, (0.5, 0.999)) for names in list_players(nets)
    ]
    play = play_cyclegan if name == "cyclegan" else play_pix2pix

    def step() -> None:
        batch = data.batch(0, recipe.train.batch)
        play(nets, adams, batch["source"].contiguous(), batch["x"].contiguous())

    return step


def list_players(nets: nn.ModuleDict) -> list[tuple[str, ...]]:
    return [("G", "G_reverse"), ("D", "D_reverse")] if "G_reverse" in nets else [("G",), ("D",)]


def play_cyclegan(nets: nn.ModuleDict, adams: list[torch.optim.Adam], source: Tensor, x: Tensor) -> None:
    ways = (("G", "G_reverse", "D", source, x), ("G_reverse", "G", "D_reverse", x, source))
    loss = torch.zeros(())
    for forth, back, critic, start, end in ways:
        fake = nets[forth](start)
        loss = loss + (nets[critic](fake).logits - 1).square().mean()
        loss = loss + 10 * (nets[back](fake) - start).abs().mean() + 5 * (nets[forth](end) - end).abs().mean()
    apply_step(adams[0], loss)
    loss = torch.zeros(())
    for forth, _, critic, start, end in ways:
        with torch.no_grad():
            fake = nets[forth](start)
        real_loss, fake_loss = (nets[critic](end).logits - 1).square().mean(), nets[critic](fake).logits.square().mean()
        loss = loss + 0.5 * (real_loss + fake_loss)
    apply_step(adams[1], loss)


def play_pix2pix(nets: nn.ModuleDict, adams: list[torch.optim.Adam], source: Tensor, x: Tensor) -> None:
    with torch.no_grad():
        fake = nets["G"](source)
    real, judged = (nets["D"](y, source=source).logits for y in (x, fake))
    apply_step(adams[1], bce(real, torch.ones_like(real)) + bce(judged, torch.zeros_like(judged)))
    fake = nets["G"](source)
    judged = nets["D"](fake, source=source).logits
    apply_step(adams[0], bce(judged, torch.ones_like(judged)) + 100 * (fake - x).abs().mean())


def apply_step(adam: torch.optim.Adam, loss: Tensor) -> None:
    adam.zero_grad()
    loss.backward()
    adam.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    got = parser.parse_args()
    torch.set_num_threads(got.threads)
    print(f"{got.size} px, batch 1, {got.threads} threads: seconds a step, the quickest of {got.rounds}")
    for name in ("cyclegan", "pix2pix"):
        steps = {"usual": build_usual_step(name, got.size), "ganvas": build_our_step(name, got.size)}
        seconds: dict[str, list[float]] = {kind: [] for kind in steps}
        for _ in range(got.rounds + 1):  # the first one warms up
            for kind, step in steps.items():
                started = time.perf_counter()
                step()
                seconds[kind].append(time.perf_counter() - started)
        best = {kind: min(values[1:]) for kind, values in seconds.items()}
        print(
            f"{name}: usual {best['usual']:.2f}, ganvas {best['ganvas']:.2f}, ratio {best['usual'] / best['ganvas']:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
