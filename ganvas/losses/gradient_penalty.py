"""A critic whose slope is 1: WGAN-GP's penalty and DRAGAN's."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu

from ..configuration import config
from ..core import Clock
from .r1 import measure_squared_slope
from .ranges import check_penalty_settings


def measure_slope(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """‖∇D(x)‖, [N]; a slope of exactly 0 has a finite derivative."""
    return (measure_squared_slope(critic, x) + 1e-12).sqrt()


@config
class GradientPenalty:
    """γ·(‖∇D(x)‖ - 1)² between reals and fakes. Gulrajani et al. 2017, eq. 3. D without batch norm: it would mix samples.

    one_sided: only slopes above 1 are punished (their section 4, "one-sided penalty").
    """

    gamma: float = 10.0
    one_sided: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        check_penalty_settings(self.every, gamma=self.gamma)

    @property
    def on(self) -> Literal["between"]:
        return "between"

    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        excess = measure_slope(critic, x) - 1
        return self.gamma * (relu(excess) if self.one_sided else excess).square()


@config
class Dragan:
    """γ·(‖∇D(x + αδ)‖ - 1)² around reals, δ ~ U(0, 1)·c·std(x), α ~ U(0, 1) a sample. Kodali et al. 2017, eq. 1.

    The paper's text has δ ~ N(0, cI) and no α; this is its code, with c of half the batch's standard deviation.
    """

    gamma: float = 10.0
    reach: float = 0.5  # c
    every: int = 1

    def __post_init__(self) -> None:
        check_penalty_settings(self.every, gamma=self.gamma, reach=self.reach)

    @property
    def on(self) -> Literal["real"]:
        return "real"

    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        alpha = torch.rand([len(x)] + [1] * (x.dim() - 1), device=x.device)
        around = x + alpha * self.reach * x.std() * torch.rand_like(x)
        return self.gamma * (measure_slope(critic, around) - 1).square()


@config
class Drift:
    """weight·D(x)² on reals, so that a critic's values stay near 0. Karras et al. 2018, appendix A.1."""

    weight: float = 1e-3
    every: int = 1

    def __post_init__(self) -> None:
        check_penalty_settings(self.every, weight=self.weight)

    @property
    def on(self) -> Literal["real"]:
        return "real"

    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        return self.weight * (critic(x) if logits is None else logits).square()
