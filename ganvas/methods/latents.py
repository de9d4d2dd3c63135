"""What samples start from: latents and conditions, drawn so that a seed means the same samples on every device."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..core import Batch, Condition, GeneratorNetwork, Latents, Nets, Request, Spec
from ..errors import GanvasError

CONDITIONS = "conditions"  # under which networks keep what draws conditions


class ConditionDraws(nn.Module):
    """The conditions of the data, kept beside the networks: samples that nobody asks for anything draw from them."""

    def __init__(self, conditions: Mapping[str, Condition]) -> None:
        super().__init__()
        self.conditions = dict(conditions)


def build_condition_draws(spec: Spec) -> dict[str, nn.Module]:
    """The memory of a method whose generator may take conditions; nothing where the data has none."""
    return {CONDITIONS: ConditionDraws(spec.conditions)} if spec.conditions else {}


def get_generator(nets: Nets, name: str = "G") -> GeneratorNetwork:
    """The network that makes samples. Raises GanvasError for one that does not say what it takes."""
    network = nets[name]
    if not isinstance(network, GeneratorNetwork):
        raise GanvasError(
            f"{name} is a {type(network).__name__}: derive it from ganvas.core.GeneratorNetwork, to say what it takes"
        )
    return network


def draw_conditions(nets: Nets, names: tuple[str, ...], n: int, generator: torch.Generator | None, request: Request) -> Latents:
    """[n, …] for each name: what was requested, or values as they come in the data."""
    drawn: dict[str, Tensor] = {}
    for name in names:
        value = request.conditions.get(name)
        draws = nets[CONDITIONS]
        assert isinstance(draws, ConditionDraws)
        drawn[name] = draws.conditions[name].draw(n, generator) if value is None else value.expand(n, *value.shape)
    return drawn


def conditions_of(nets: Nets, batch: Batch, generator: str = "G") -> dict[str, Tensor]:
    """What the networks take beside samples: the batch's columns of these names."""
    return {name: batch[name] for name in get_generator(nets, generator).conditions}
