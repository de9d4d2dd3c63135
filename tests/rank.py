"""What test_dist.py starts once a rank: a few steps of a small game; each rank writes its weights.

usage: rank.py RECIPE PARTS OUT
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from ganvas import recipes
from ganvas.losses import R1
from ganvas.losses.objectives import NonSaturating
from ganvas.methods import Adversarial, Cycle, PolicyGradient
from ganvas.optim.optimisers import Adam
from ganvas.recipe import Recipe
from ganvas.runs.state import build_state
from ganvas.system import distributed
from ganvas.training import loop
from small_recipes import noise, small


def game(name: str, parts: int) -> Recipe:
    """Without batch statistics, with a penalty that is a phase of its own on every third step, seven steps of 64.

    CycleGAN keeps its method, with pools that are full after two steps. The policy gradient keeps it, with all its stages.
    """
    recipe = small(recipes.find_recipe(name), samples=7 * 64, batch=64, accumulate=parts)
    if isinstance(recipe.method, Cycle):
        adam = Adam(lr=1e-3, betas=(0.5, 0.99), eps=1e-2)
        return replace(recipe, method=replace(recipe.method, pool=100), optim=dict.fromkeys(recipe.optim, adam))
    if isinstance(recipe.method, PolicyGradient):
        adam = Adam(lr=1e-3, betas=(0.5, 0.99), eps=1e-2)
        return replace(recipe, method=PolicyGradient(likelihood=0.2, warm_up=0.2), optim={"G": adam, "D": adam})
    method = Adversarial(objective=NonSaturating(), penalties=(R1(gamma=1.0, every=3),))
    adam = Adam(lr=1e-3, betas=(0.0, 0.99), eps=1e-3)  # of the gradients' size: Adam would blow up the last bit of a sum
    return replace(recipe, method=method, optim={"G": adam, "D": adam})


def main(name: str, parts: str, out: str) -> None:
    torch.set_num_threads(1)
    with distributed.join_ranks():
        recipe = game(name, int(parts))
        state = build_state(recipe, noise(recipe).spec, 0, torch.device("cpu"))
        loop.Loop(recipe, noise(recipe), state, 0).train_to_budget(lambda state, tally: False)
        tensors = {name: value.detach().contiguous() for name, value in state.nets.state_dict().items()}
        save_file(tensors, Path(out) / f"rank{distributed.get_rank()}.safetensors")
    threads = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
    assert not [name for name in threads if "gloo" in name], threads  # they would now and then abort the process as it ends


if __name__ == "__main__":
    main(*sys.argv[1:])
