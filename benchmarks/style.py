"""The StyleGAN2 step against a straightforward implementation of the paper, on an otherwise idle machine: one table.

python benchmarks/style.py [--rounds 3] [--size 32]

The same networks, weights, batch, optimisers and schedule (D, G, path lengths every 4 steps, R1 every 16), fp32, 16 steps a
round, in alternating rounds. Straightforward means: weights of each sample's own in one grouped convolution, filters as a
convolution of 4 x 4 after zeros between the pixels, activations and gains one after another, and the default memory layout.
Each of the three is also tried alone.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, pad

from ganvas import recipes
from ganvas.data.dataset import open_data
from ganvas.media import Image
from ganvas.nets import stylegan2
from ganvas.nets.layers.equalised import HE_GAIN
from ganvas.nets.stylegan2 import DownBlock, StyleLayer, ToImage
from ganvas.runs.state import build_state
from ganvas.training.loop import Loop

STEPS = 16
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0])


def upfirdn(x: Tensor, padding: list[int], up: int = 1, down: int = 1, gain: float = 1.0) -> Tensor:
    """Zeros between pixels and around them, a filter, every `down`-th pixel."""
    n, c, h, w = x.shape
    if up > 1:
        x = pad(x[:, :, :, None, :, None], [0, up - 1, 0, 0, 0, up - 1]).reshape(n, c, h * up, w * up)
    kernel = (TAPS[:, None] * TAPS / 64 * gain).expand(c, 1, 4, 4)
    return conv2d(pad(x, padding), kernel, stride=down, groups=c)


def grouped(weight: Tensor, x: Tensor, s: Tensor, upward: bool, demodulate: bool) -> Tensor:
    """Karras et al. 2020a, eqs. 1 and 3, by the letter."""
    n, padding = len(s), weight.shape[2] // 2
    weight = weight[None] * s[:, None, :, None, None]
    if demodulate:
        weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    x = x.reshape(1, -1, *x.shape[2:])
    if upward:
        x = conv_transpose2d(x, weight.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
        return stylegan2.blur_by_binomial(x.reshape(n, -1, *x.shape[2:]), 1, gain=4)
    x = conv2d(x, weight.flatten(0, 1), padding=padding, groups=n)
    return x.reshape(n, -1, *x.shape[2:])


def plain_layer(self: StyleLayer, x: Tensor, w: Tensor) -> Tensor:
    x = grouped(self.convolution.weight, x, self.style(w), self.convolution.is_upward, demodulate=True)
    x = x + torch.randn(len(x), 1, *x.shape[2:]) * self.strength
    return leaky_relu(x + self.bias[:, None, None], 0.2) * HE_GAIN


def plain_image(self: ToImage, x: Tensor, w: Tensor) -> Tensor:
    return grouped(self.weight, x, self.style(w) * self.scale, False, demodulate=False) + self.bias[:, None, None]


def plain_block(self: DownBlock, x: Tensor) -> Tensor:
    h = leaky_relu(conv2d(x, self.first.weight * (self.first.scale / HE_GAIN), self.first.bias, padding=1), 0.2) * HE_GAIN
    h = stylegan2.blur_by_binomial(h, 2)
    h = leaky_relu(conv2d(h, self.second.weight * self.second.scale, self.second.bias, stride=2), 0.2) * HE_GAIN
    return (h + conv2d(stylegan2.halve_size(x), self.beside.weight * (self.beside.scale * HE_GAIN))) / HE_GAIN


def plain_parts() -> list[object]:
    parts = ((StyleLayer, plain_layer), (ToImage, plain_image), (DownBlock, plain_block))
    return [patch.object(kind, "forward", forward) for kind, forward in parts]


def plain_filters() -> list[object]:
    return [
        patch.object(stylegan2, "blurred", lambda x, padding, gain=1.0: upfirdn(x, [padding] * 4, gain=gain)),
        patch.object(stylegan2, "doubled", lambda x: upfirdn(x, [2, 1, 2, 1], up=2, gain=4)),
        patch.object(stylegan2, "halved", lambda x: upfirdn(x, [1] * 4, down=2)),
    ]


WAYS = {  # (plain layers, plain filters, default layout)
    "ours": (False, False, False),
    "with plain layers": (True, False, False),
    "with plain filters": (False, True, False),
    "in the default layout": (False, False, True),
    "straightforward": (True, True, True),
}


@contextmanager
def changed(weights: bool, filters: bool) -> Iterator[None]:
    with ExitStack() as stack:
        for part in plain_parts() * weights + plain_filters() * filters:
            stack.enter_context(part)  # type: ignore[arg-type]
        yield


def round_of(playing: Loop, weights: bool, filters: bool) -> float:
    """Images a second over one cycle of the lazy phases."""
    recipe = playing.recipe
    with changed(weights, filters):
        playing.train_step(recipe.method.stage(playing.state.nets, playing.state.clock), recipe.train.batch)  # warm
        begun = time.perf_counter()
        for step in range(STEPS):
            playing.state.clock = playing.state.clock._replace(step=step)
            playing.train_step(recipe.method.stage(playing.state.nets, playing.state.clock), recipe.train.batch)
        return STEPS * recipe.train.batch / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=32)
    got = parser.parse_args()
    recipe = replace(recipes.find_recipe("stylegan2_small"), medium=Image(size=got.size))
    recipe = replace(recipe, data=replace(recipe.data, path="fashion-embedded"))  # type: ignore[type-var]
    _, data, _ = open_data(recipe.data, recipe.medium)
    games: dict[str, Loop] = {}
    for name, (_, _, default) in WAYS.items():
        state = build_state(recipe, data.spec, 0, torch.device("cpu"))
        if default:
            state.nets.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        games[name] = Loop(recipe, data, state, 0)
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(got.rounds):
        for name, (weights, filters, _) in WAYS.items():
            found[name].append(round_of(games[name], weights, filters))
    median = {name: statistics.median(values) for name, values in found.items()}
    print(
        f"stylegan2_small, {got.size} px, batch {recipe.train.batch}, {torch.get_num_threads()} threads, {got.rounds} rounds\n"
    )
    print("| | images/s | of ours |\n|---|---|---|")
    for name, value in median.items():
        each = ", ".join(f"{v:.0f}" for v in found[name])
        print(f"| {name} | {value:.1f} ({each}) | {value / median['ours']:.2f} |")
    print(f"\nours is {median['ours'] / median['straightforward']:.2f} times as fast as straightforward")


if __name__ == "__main__":
    main()
