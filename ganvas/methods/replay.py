"""Random draws that can be had again."""

from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")


class Draw:
    """Work that draws from the global generators, with the same draws every time; what others draw is not disturbed."""

    def __init__(self, device: torch.device) -> None:
        self.generators = [torch.default_generator]
        if device.type == "cuda":
            self.generators.append(torch.cuda.default_generators[device.index or 0])
        elif device.type == "mps":
            self.generators.append(torch.mps._get_default_mps_generator())
        self.first: list[torch.Tensor] | None = None

    def __call__(self, work: Callable[[], Result]) -> Result:
        now = [generator.get_state() for generator in self.generators]
        if self.first is None:
            self.first = now
            return work()
        self.set(self.first)
        try:
            return work()
        finally:
            self.set(now)

    def set(self, states: list[torch.Tensor]) -> None:
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)
