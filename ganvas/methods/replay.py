"""Repeating the same random draws."""

from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")


class ReplayRng:
    """Runs functions that use the global generators, with the same draws every time. Other code's draws do not change."""

    def __init__(self, device: torch.device) -> None:
        self.generators = [torch.default_generator]
        if device.type == "cuda":
            self.generators.append(torch.cuda.default_generators[device.index or 0])
        elif device.type == "mps":
            self.generators.append(torch.mps._get_default_mps_generator())
        self.first_states: list[torch.Tensor] | None = None

    def __call__(self, work: Callable[[], Result]) -> Result:
        present_states = [generator.get_state() for generator in self.generators]
        if self.first_states is None:
            self.first_states = present_states
            return work()
        self.restore_states(self.first_states)
        try:
            return work()
        finally:
            self.restore_states(present_states)

    def restore_states(self, states: list[torch.Tensor]) -> None:
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)
