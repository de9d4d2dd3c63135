"""Throw-away networks to measure a run with before it begins."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from ..core import Clock, Spec, Stage
from ..recipe import Recipe
from . import loop
from .start import initial_state


class TrialNetworks:
    """A run's first state, to measure and throw away. Measuring changes weights, which does not affect later measurements.

    Trials train `state.nets`. `initial_nets` are the same networks with the method's state as at the start, because a run's
    stages depend on that state: networks that have grown stay grown.
    """

    def __init__(
        self,
        recipe: Recipe,
        spec: Spec,
        seed: int,
        device: torch.device,
        announce: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.state = initial_state(recipe, spec, seed, device, announce)
        self.memories = {name: deepcopy(net) for name, net in self.state.nets.items() if name not in recipe.optim}
        self.initial_nets = nn.ModuleDict({**self.state.nets, **self.memories})
        self.identity = identify_networks(recipe)

    def belong_to(self, recipe: Recipe) -> bool:
        """Whether the recipe starts with the same networks."""
        return self.identity == identify_networks(recipe)

    def rewind(self) -> None:
        """Reset the method's state, such as how far the networks have grown."""
        for name, memory in self.memories.items():
            self.state.nets[name].load_state_dict(memory.state_dict())

    def locate_stages(self, recipe: Recipe) -> list[tuple[Clock, Stage, float]]:
        """(a clock within it, the stage, its share of the samples) for each stage of a run."""
        stages = loop.locate_stages(recipe, self.initial_nets)
        return [(clock, recipe.method.stage(self.initial_nets, clock), share) for clock, share in stages]


def identify_networks(recipe: Recipe) -> tuple[Any, ...]:
    """The parts of a recipe that its first state depends on."""
    return recipe.nets, recipe.method, recipe.optim, recipe.start, recipe.train.ema_kimg > 0
