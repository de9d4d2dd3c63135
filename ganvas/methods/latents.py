"""Latents and conditions for a generator. A seed draws the same ones on every device."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..core import (
    Batch,
    Condition,
    GeneratorNetwork,
    Latents,
    Nets,
    OpenCondition,
    Request,
    ShapedCondition,
    Spec,
)
from ..errors import GanvasError

CONDITIONS = "conditions"  # the name of ConditionDraws among the networks


class ConditionDraws(nn.Module):
    """The conditions of the data, saved with the networks. Samples without a requested condition draw from them."""

    def __init__(self, conditions: Mapping[str, Condition]) -> None:
        super().__init__()
        self.conditions = dict(conditions)


def build_condition_draws(spec: Spec) -> dict[str, nn.Module]:
    """The state of a method whose generator may take conditions; empty if the data has none."""
    return {CONDITIONS: ConditionDraws(spec.conditions)} if spec.conditions else {}


def get_generator(nets: Nets, name: str = "G") -> GeneratorNetwork:
    """The network that makes samples. Raises GanvasError if it is not a GeneratorNetwork."""
    network = nets[name]
    if not isinstance(network, GeneratorNetwork):
        raise GanvasError(
            f"{name} is a {type(network).__name__}, whose inputs are unknown: derive it from ganvas.core.GeneratorNetwork"
        )
    return network


def draw_conditions(nets: Nets, names: tuple[str, ...], n: int, generator: torch.Generator | None, request: Request) -> Latents:
    """[n, …] for each name: the requested value, or values drawn at the data's frequencies.

    Conditions that are samples, such as a source and its mask, share their draws, so that they belong together.
    """
    drawn: dict[str, Tensor] = {}
    sample_seed: int | None = None
    for name in names:
        value = request.conditions.get(name)
        draws = nets[CONDITIONS]
        assert isinstance(draws, ConditionDraws)
        condition, draw_generator = draws.conditions[name], generator
        if value is None and isinstance(condition, ShapedCondition):
            sample_seed = int(torch.randint(2**62, (), generator=generator)) if sample_seed is None else sample_seed
            draw_generator = torch.Generator().manual_seed(sample_seed)
        if value is None:
            drawn[name] = condition.draw(n, draw_generator)
        elif isinstance(condition, OpenCondition):
            drawn[name] = condition.draw_within(value, n, draw_generator)
        else:
            drawn[name] = value.expand(n, *value.shape)
    return drawn


def conditions_of(nets: Nets, batch: Batch, generator: str = "G") -> dict[str, Tensor]:
    """The batch's columns that the networks take as conditions."""
    return {name: batch[name] for name in get_generator(nets, generator).conditions}
