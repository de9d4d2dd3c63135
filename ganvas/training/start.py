"""A run's very start: fresh networks, or those of the run it comes from."""

from collections.abc import Callable

import torch

from ..core import Spec
from ..errors import GanvasError
from ..methods.progressive import count_levels, get_growth
from ..recipe import Recipe
from ..runs import checkpoint
from ..runs.folder import RunFolder
from ..runs.state import State, build_state
from .transfer import copy_matching_weights, find_first_layers

MAX_LISTED_TENSORS = 4  # tensors that begin anew, in what is said
TRANSFERRED_MODULES = ("growth",)  # of a method's own memory


def initial_state(
    recipe: Recipe, spec: Spec, seed: int, device: torch.device, announce: Callable[[str], None] = lambda line: None
) -> State:
    """A run's very start: fresh networks, or those of the run it comes from.

    Raises:
        GanvasError: no such run, or one of whose networks nothing fits.
    """
    state = fresh_state(recipe, spec, seed, device)
    if recipe.start is None:
        return state
    source = RunFolder(recipe.start.run)
    source_state = build_state(source.recipe, source.read_spec(), source.seed, device)
    checkpoint.load_nets(source.find_checkpoint(recipe.start.checkpoint), source_state)
    source_nets = source_state.select_sampling_networks()
    for name in (*recipe.optim, *TRANSFERRED_MODULES):
        if name in state.nets and name in source_nets:
            copied_count, fresh_names = copy_matching_weights(state.nets[name], source_nets[name])
            if not copied_count and name == "G":
                size = " x ".join(map(str, source.read_spec().shape))
                raise GanvasError(f"nothing of {source.path}'s G, which makes {size}, fits: leave recipe and size as there")
            if name == "D" and (lost_names := [part for part in fresh_names if f"D.{part}" in state.frozen_parameters]):
                raise GanvasError(
                    f"D begins anew in layers that were to stay as they are ({lost_names[0]}): leave out --freeze-d"
                )
            if name in state.average:
                state.average[name].load_state_dict(state.nets[name].state_dict())
            if name in TRANSFERRED_MODULES:
                get_growth(state.nets).cap_depth(count_levels(state.nets))
                continue
            listed = ", ".join(fresh_names[:MAX_LISTED_TENSORS]) + (" …" if len(fresh_names) > MAX_LISTED_TENSORS else "")
            fresh_summary = f"; anew: {listed} ({len(fresh_names)})" if fresh_names else ""
            announce(f"{name} from {source.path}: {copied_count} tensors{fresh_summary}")
    if state.frozen_parameters:
        announce(f"D keeps its first {recipe.start.freeze} layers: {len(state.frozen_parameters)} tensors")
    return state


def fresh_state(recipe: Recipe, spec: Spec, seed: int, device: torch.device) -> State:
    """The same without what was learned: for a checkpoint that is read next."""
    state = build_state(recipe, spec, seed, device)
    if recipe.start is not None and recipe.start.freeze:
        if "D" not in state.nets:
            raise GanvasError("this recipe has no D whose layers could stay as they are: leave out --freeze-d")
        state.frozen_parameters = find_first_layers(recipe.method, state.nets, spec, recipe.start.freeze)
    return state
