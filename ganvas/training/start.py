"""The first state of a run: fresh networks, or networks copied from another run."""

from collections.abc import Callable

import torch

from ..core import Nets, Spec, format_shape
from ..errors import GanvasError
from ..methods import Preferred
from ..methods.progressive import count_levels, get_growth
from ..recipe import Recipe
from ..runs import checkpoint
from ..runs.folder import RunFolder
from ..runs.rewards import load_reward, read_reward_card
from ..runs.state import State, build_state
from .transfer import copy_matching_weights, find_first_layers

MAX_LISTED_TENSORS = 4  # names of fresh tensors in a message
TRANSFERRED_MODULES = ("growth",)  # modules of a method's state that are copied too


def initial_state(
    recipe: Recipe, spec: Spec, seed: int, device: torch.device, announce: Callable[[str], None] = lambda line: None
) -> State:
    """The first state of a run: fresh networks, or networks copied from the run in `recipe.start`.

    Raises:
        GanvasError: no such run or checkpoint, no tensor of its generator fits, or a layer to freeze would be fresh.
    """
    state = fresh_state(recipe, spec, seed, device)
    if recipe.start is None:
        return state
    source = RunFolder(recipe.start.run)
    source_state = build_state(source.recipe, source.read_spec(), source.seed, device)
    checkpoint.load_nets(source.find_checkpoint(recipe.start.checkpoint), source_state)
    source_nets, generator = source_state.select_sampling_networks(), recipe.method.traits(state.nets).generator
    for name in (*recipe.optim, *TRANSFERRED_MODULES):
        if name in state.nets and name in source_nets:
            summary = copy_network_from_run(name, state, source_nets, source, is_generator=name == generator)
            if name in TRANSFERRED_MODULES:
                get_growth(state.nets).cap_depth(count_levels(state.nets))
            else:
                announce(summary)
    if isinstance(recipe.method, Preferred):
        anchor_to_source(recipe.method, state, source)
    if state.frozen_parameters:
        announce(f"D's first {recipe.start.freeze} layers are frozen: {len(state.frozen_parameters)} tensors")
    return state


def anchor_to_source(method: Preferred, state: State, source: RunFolder) -> None:
    """Prefer by the source's reward, near its generator. Raises GanvasError if it has learnt from other choices since."""
    if read_reward_card(source.path).get("choices") != method.choices:
        raise GanvasError(
            f"{source.path} has learnt from other choices since this run was begun: give --pairs or --likes as then, or "
            "choose another folder with --out"
        )
    method.anchor(state.nets, load_reward(source.path))


def copy_network_from_run(name: str, state: State, source_nets: Nets, source: RunFolder, is_generator: bool) -> str:
    """Copy the tensors of one network that fit, and set its average to it. Returns a summary for the user.

    Raises:
        GanvasError: nothing of the generator fits, or a layer of D to freeze would be fresh.
    """
    copied_count, fresh_names = copy_matching_weights(state.nets[name], source_nets[name])
    if not copied_count and is_generator:
        size = format_shape(source.read_spec().shape)
        raise GanvasError(f"no tensor of {source.path}'s {name} fits (it makes {size}): use the same recipe and size")
    if name == "D" and (lost_names := [part for part in fresh_names if f"D.{part}" in state.frozen_parameters]):
        raise GanvasError(f"D has layers to freeze that do not fit ({lost_names[0]}): leave out --freeze-d")
    if name in state.average:
        state.average[name].load_state_dict(state.nets[name].state_dict())
    listed = ", ".join(fresh_names[:MAX_LISTED_TENSORS]) + (" …" if len(fresh_names) > MAX_LISTED_TENSORS else "")
    fresh_summary = f"; fresh: {listed} ({len(fresh_names)})" if fresh_names else ""
    return f"{name} from {source.path}: {copied_count} tensors{fresh_summary}"


def fresh_state(recipe: Recipe, spec: Spec, seed: int, device: torch.device) -> State:
    """Fresh networks and optimisers, with D's first layers marked as frozen; nothing is copied from another run."""
    state = build_state(recipe, spec, seed, device)
    if recipe.start is not None and recipe.start.freeze:
        if "D" not in state.nets:
            raise GanvasError("this recipe has no D to freeze layers of: leave out --freeze-d")
        state.frozen_parameters = find_first_layers(recipe.method, state.nets, spec, recipe.start.freeze)
    return state
