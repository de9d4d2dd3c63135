"""Players that do not run away from where they have been. Salimans et al. 2016, section 3.3."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Literal

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import refuse


@config
class HistoricalAveraging:
    """weight·‖θ - mean of all past θ‖² for each player. The paper names no weight; large ones hold training up."""

    weight: float = 0.01
    trains: tuple[Literal["G", "D"], ...] = ("D", "G")

    def __post_init__(self) -> None:
        refuse(not self.weight >= 0, "method.extras.0.weight", self.weight, "0 or more", "--method.extras.0.weight 0.01")

    def state(self, nets: Nets) -> nn.Module | None:
        return nn.ModuleDict({player: ParameterMean(nets[player]) for player in self.trains})

    def term(self, inputs: LossInputs) -> Tensor | None:
        past = inputs.nets[type(self).__name__][inputs.player]  # type: ignore[index]
        distances = (
            (parameter - mean).square().sum()
            for parameter, mean in zip(inputs.nets[inputs.player].parameters(), past.mean.parameters(), strict=True)
        )
        return self.weight * sum(distances, torch.zeros(()))

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        past = nets[type(self).__name__][player]  # type: ignore[index]
        past.count += 1
        for mean, parameter in zip(past.mean.parameters(), nets[player].parameters(), strict=True):
            mean.lerp_(parameter, 1 / past.count)


class ParameterMean(nn.Module):
    """The mean of a network's parameters over `count` moments, the first of them its start."""

    count: Tensor

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.mean = deepcopy(net).requires_grad_(False)
        self.register_buffer("count", torch.ones(()))
