"""A run's very start: fresh networks, or those of the run it comes from."""

from collections.abc import Callable

import torch

from ..core import Spec
from ..errors import GanvasError
from ..methods.progressive import growth, levels
from ..recipe import Recipe
from ..runs import checkpoint
from ..runs.folder import Run
from ..runs.state import State, start
from .transfer import first_layers, taken

NAMED = 4  # tensors that begin anew, in what is said
CARRIED = ("growth",)  # of a method's own memory


def begun(recipe: Recipe, spec: Spec, seed: int, where: torch.device, say: Callable[[str], None] = lambda line: None) -> State:
    """A run's very start: fresh networks, or those of the run it comes from.

    Raises:
        GanvasError: no such run, or one of whose networks nothing fits.
    """
    state = bare(recipe, spec, seed, where)
    if recipe.start is None:
        return state
    source = Run(recipe.start.run)
    there = start(source.recipe, source.spec(), source.seed, where)
    checkpoint.load_nets(source.checkpoint(recipe.start.checkpoint), there)
    learned = there.sampled()
    for name in (*recipe.optim, *CARRIED):
        if name in state.nets and name in learned:
            took, anew = taken(state.nets[name], learned[name])
            if not took and name == "G":
                size = " x ".join(map(str, source.spec().shape))
                raise GanvasError(f"nothing of {source.path}'s G, which makes {size}, fits: leave recipe and size as there")
            if name == "D" and (lost := [part for part in anew if f"D.{part}" in state.frozen]):
                raise GanvasError(f"D begins anew in layers that were to stay as they are ({lost[0]}): leave out --freeze-d")
            if name in state.average:
                state.average[name].load_state_dict(state.nets[name].state_dict())
            if name in CARRIED:
                growth(state.nets).limit(levels(state.nets))
                continue
            more = f"; anew: {', '.join(anew[:NAMED])}{' …' if len(anew) > NAMED else ''} ({len(anew)})" if anew else ""
            say(f"{name} from {source.path}: {took} tensors{more}")
    if state.frozen:
        say(f"D keeps its first {recipe.start.freeze} layers: {len(state.frozen)} tensors")
    return state


def bare(recipe: Recipe, spec: Spec, seed: int, where: torch.device) -> State:
    """The same without what was learned: for a checkpoint that is read next."""
    state = start(recipe, spec, seed, where)
    if recipe.start is not None and recipe.start.freeze:
        if "D" not in state.nets:
            raise GanvasError("this recipe has no D whose layers could stay as they are: leave out --freeze-d")
        state.frozen = first_layers(state.nets, spec, recipe.start.freeze)
    return state
