"""Zero-centred gradient penalties. Mescheder et al. 2018, eq. 9 (R1, on real samples) and eq. 10 (R2, on fakes)."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ..configuration import config
from ..core import Clock
from ..optim.schedules import Constant, Schedule
from .patches import average_patches
from .ranges import check_penalty_settings


def measure_squared_slope(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """‖∇D(x)‖² summed over each sample, [N], where D(x) is the mean of its patches' logits.

    Where D judges packs of samples, one after the other, it is summed over each pack, [packs].
    In full precision: a second derivative in bf16 is mostly rounding. Not compiled: torch.compile has no second derivative.
    """
    with torch.autocast(x.device.type, enabled=False), torch.compiler.set_stance("force_eager"):
        x = x.detach().float().requires_grad_()
        logits = average_patches(critic(x))
        (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    squares = gradient.square().flatten(1).sum(1)
    return squares if len(logits) == len(x) else _sum_packs(squares, len(logits))


def _sum_packs(values: Tensor, packs: int) -> Tensor:
    """Values of samples [N] -> their sums over each pack of samples that follow each other: [packs]."""
    numbers = torch.arange(len(values), device=values.device) // -(-len(values) // packs)
    return values.new_zeros(packs).index_add(0, numbers, values)


@config
class R1:
    """γ/2·‖∇D(x)‖² on real samples. `every` > 1 makes it lazy (Karras et al. 2020, appendix B)."""

    gamma: float = 1.0
    every: int = 1
    schedule: Schedule = Constant()  # factor on γ

    def __post_init__(self) -> None:
        check_penalty_settings(self.every, gamma=self.gamma)

    @property
    def on(self) -> Literal["real"]:
        return "real"

    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        return self.gamma * self.schedule(clock) / 2 * measure_squared_slope(critic, x)


@config
class R2:
    """γ/2·‖∇D(x)‖² on fake samples."""

    gamma: float = 1.0
    every: int = 1
    schedule: Schedule = Constant()  # factor on γ

    def __post_init__(self) -> None:
        check_penalty_settings(self.every, gamma=self.gamma)

    @property
    def on(self) -> Literal["fake"]:
        return "fake"

    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        return self.gamma * self.schedule(clock) / 2 * measure_squared_slope(critic, x)
