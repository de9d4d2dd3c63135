"""Penalties that keep a critic's slope near 1 (WGAN-GP, DRAGAN) or its values near 0 (drift)."""

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
    """‖∇D(x)‖, [N]; its derivative is finite even where the slope is 0."""
    return (measure_squared_slope(critic, x) + 1e-12).sqrt()


@config
class GradientPenalty:
    """γ·(‖∇D(x)‖ - 1)² between reals and fakes. Gulrajani et al. 2017, eq. 3. D may not use batch norm, which mixes samples.

    one_sided: punish only slopes above 1 (section 4, "one-sided penalty").
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
    """γ·(‖∇D(x + αδ)‖ - 1)² around reals, δ ~ U(0, 1)·c·std(x), α ~ U(0, 1) per sample. Kodali et al. 2017, eq. 1.

    The paper's text has δ ~ N(0, cI) and no α. This follows the authors' code, with c = 0.5.
    """

    gamma: float = 10.0
    reach: float = 0.5  # c, in standard deviations of the batch
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
    """weight·D(x)² on reals, which keeps a critic's values near 0. Karras et al. 2018, appendix A.1."""

    weight: float = 1e-3
    every: int = 1

    def __post_init__(self) -> None:
        check_penalty_settings(self.every, weight=self.weight)

    @property
    def on(self) -> Literal["real"]:
        return "real"

    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        return self.weight * (critic(x) if logits is None else logits).square()
