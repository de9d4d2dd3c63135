"""How much memory training needs, found before the first step from what two tiny batches keep for their gradients."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil
import torch
from torch import Tensor

from ..core import Dataset
from ..recipe import Recipe
from ..runs.state import State, start
from . import loop
from .loop import Loop

COPIES = 5  # of the weights: themselves, gradients, Adam's two moments, the moving average
WORK = 1.6  # times what is kept for gradients: what convolutions and backward passes need beside it (measured, docs/log.md)
SMALL, LARGE = 2, 4  # samples: few, for eight of a full-size network's fill a machine


class Footprint(NamedTuple):
    """Bytes of training: `fixed`, and for each sample of a part of the `batch`."""

    fixed: int
    sample: int
    batch: int

    def of(self, part: int) -> int:
        """With `part` samples at a time."""
        return self.fixed + self.sample * part

    def cut(self, parts: int) -> int:
        """With the batch in so many parts."""
        return self.of(-(-self.batch // parts))


def footprints(recipe: Recipe, data: Dataset, seed: int, where: torch.device) -> list[Footprint]:
    """Of each stage the largest of its phases, on networks that are thrown away."""
    recipe = replace(recipe, train=replace(recipe.train, compile=False))  # not for two tiny batches
    state = start(recipe, data.spec, seed, where)
    playing = Loop(recipe, data, state, seed)
    weights, found = sum(p.numel() * p.element_size() for p in state.nets.parameters()), list[Footprint]()
    for clock, _ in loop.stages(recipe, state.nets):
        state.clock, batch = clock, recipe.method.stage(state.nets, clock).batch or recipe.train.batch
        small = kept(playing, data, state, SMALL)
        slope = small / SMALL  # the most it can be, where there is no room to look twice
        if WORK * small * LARGE / SMALL < free(where):
            slope = max(0, kept(playing, data, state, LARGE) - small) / (LARGE - SMALL)
        found.append(Footprint(round(COPIES * weights + max(0.0, small - slope * SMALL)), round(WORK * slope), batch))
    return found


def kept(playing: Loop, data: Dataset, state: State, size: int) -> int:
    """Bytes that the hungriest phase keeps for its gradients on a batch of `size`."""
    weights = {p.untyped_storage().data_ptr() for p in state.nets.parameters()}
    most = 0
    seen: dict[str, Tensor] = {}
    for phase in playing.recipe.method.stage(state.nets, state.clock).phases:
        playing.learn_only(phase.trains)
        found: dict[int, int] = {}

        def pack(tensor: Tensor, found: dict[int, int] = found) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                found[storage.data_ptr()] = storage.nbytes()
            return tensor

        batch = {name: value.to(playing.device) for name, value in data.batch(0, size).items()} | seen
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), playing.autocast:
            turn = phase.loss(state.nets, batch, state.clock)
        seen |= turn.seen
        most = max(most, sum(found.values()))
    return most


def free(where: torch.device) -> int:
    """Bytes of memory that may be taken now."""
    if where.type == "cuda":
        torch.cuda.empty_cache()  # what torch keeps in reserve is free, too
        return torch.cuda.mem_get_info(where)[0]
    return min([psutil.virtual_memory().available, *granted(Path("/sys/fs/cgroup"))])


def granted(group: Path) -> list[int]:
    """Bytes that a container may still take of the machine's, where its control group bounds them."""
    try:
        most, taken = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # files that were read stay in memory until somebody wants it
        return [int(most) - int(taken) + int(stat["inactive_file"])] if most != "max" else []
    except (OSError, ValueError, KeyError):
        return []
