"""What full-size recipes cost on one GPU, from the multiply-adds of their networks: one table, in some minutes.

python benchmarks/cost.py [RECIPE …] [--tflops 100]

A step is D on real and fake with gradients, G without for D's turn, and both for G's, where D's weights want no gradient:
8 D + 4 G, a backward pass being two forward ones; relativistic losses show D the reals once more. Penalties come on top:
lazy ones by a tenth or so, exact R1 and R2 in every step by about two thirds. Growing networks are counted at their full
size, which is the most.
"""

import argparse

import torch
from torch.utils.flop_counter import FlopCounterMode

from ganvas import recipes
from ganvas.core import Field, Spec
from ganvas.losses.objectives import RelativisticAverage, RelativisticPairing

RECIPES = (
    *("dcgan64", "sngan", "sagan", "biggan", "biggan_deep", "progan", "stylegan", "stylegan2", "stylegan2_cifar"),
    *("stylegan3_t", "stylegan3_r", "r3gan", "r3gan_ffhq64", "r3gan_ffhq256", "gat", "styleswin"),
)
N = 4


def multiply_adds(net: torch.nn.Module, *inputs: torch.Tensor) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*inputs)
    return counter.get_total_flops() / 2 / N


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--tflops", type=float, default=100.0, help="what the GPU sustains")
    got = parser.parse_args()
    print("| recipe | px | G: parameters | D | G: multiply-adds | D | a step, an image | images | days |\n" + "|---" * 9 + "|")
    for name in got.recipes:
        recipe = recipes.find_recipe(name)
        size = recipe.medium.size  # type: ignore[attr-defined]
        nets = recipe.nets.build(Spec((3, size, size), (Field("image", 3),), {})).eval()
        g = multiply_adds(nets["G"], torch.zeros(N, int(nets["G"].z_dim)))
        d = multiply_adds(nets["D"], torch.zeros(N, 3, size, size))
        sizes = [f"{sum(p.numel() for p in nets[player].parameters()) / 1e6:.2f} M" for player in "GD"]
        game = getattr(recipe.method, "game", recipe.method)  # of networks that grow
        relative = isinstance(game.objective, RelativisticPairing | RelativisticAverage)
        step, images = (9 if relative else 8) * d + 4 * g, recipe.train.samples or 0
        days = 2 * step * images / (got.tflops * 1e12) / 86400
        costs = [f"{cost / 1e9:.1f} G" for cost in (g, d, step)]
        print(f"| `{name}` | {size} | {' | '.join(sizes + costs)} | {images / 1e6:g} M | {days:.1f} |")


if __name__ == "__main__":
    main()
