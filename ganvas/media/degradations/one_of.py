"""A random choice of degradations."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...configuration import config
from ...errors import require
from .degradation import Degradation


@config
class OneOf:
    """Each picture gets one of some degradations, each with equal probability. They must make sources of one size."""

    choices: tuple[Degradation, ...]

    def __post_init__(self) -> None:
        require(len(self.choices) > 0, "choices", self.choices, "one degradation or more")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        chosen = torch.randint(len(self.choices), (len(x),), generator=generator).tolist()
        results = [self.choices[choice](x[k : k + 1], generator) for k, choice in enumerate(chosen)]
        return {name: torch.cat([result[name] for result in results]) for name in results[0]}
