"""The state of training."""

from dataclasses import dataclass

import torch
from torch import nn

from ..core import Clock, Nets, Spec, seed_from
from ..optim import moving_average
from ..recipe import Recipe
from ..system.device import seed_global_generators


@dataclass
class State:
    """Everything that training changes. A checkpoint holds it."""

    nets: nn.ModuleDict
    average: nn.ModuleDict  # the moving averages; empty without any
    optims: dict[str, torch.optim.Optimizer]
    clock: Clock
    stage_name: str = ""
    training_seconds: float = 0.0  # spent on training so far
    frozen_parameters: tuple[str, ...] = ()  # names of parameters that do not train: "D.layers.0.weight"

    def select_sampling_networks(self) -> Nets:
        """The networks that make samples: moving averages in place of the networks that have them."""
        return nn.ModuleDict({**self.nets, **self.average})


def build_state(recipe: Recipe, spec: Spec, seed: int, device: torch.device) -> State:
    """Fresh networks and optimisers. The same seed gives the same weights."""
    seed_global_generators(seed_from(seed, "start"), torch.device("cpu"))
    nets = recipe.nets.build(spec)
    nets.update(dict(recipe.method.state(spec, nets).items()))
    nets.to(device)
    nets.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # affects only 4-D weights
    average = moving_average.copy_networks(nets, recipe.method.averaged_networks if recipe.train.ema_kimg else ())
    optims = {name: optim.build(nets[name].parameters()) for name, optim in recipe.optim.items()}
    return State(nets, average, optims, Clock(0, 0, recipe.train.samples or 0))
