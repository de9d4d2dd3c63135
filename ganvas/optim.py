"""Optimisers as settings, and schedules by images seen."""

from collections.abc import Iterable
from math import cos, pi
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from .config import config
from .core import Clock
from .errors import GanvasError, refuse


@runtime_checkable
class Schedule(Protocol):
    """A factor on the learning rate. Frozen settings (@config)."""

    def __call__(self, clock: Clock) -> float: ...


@config
class Constant:
    """Always 1."""

    def __call__(self, clock: Clock) -> float:
        return 1.0


@config
class Cosine:
    """1 until `start` (a share of the run), then half a cosine down to `final` at its end."""

    final: float = 0.0
    start: float = 0.0

    def __call__(self, clock: Clock) -> float:
        done = clock.images / max(1, clock.total)
        way = min(1.0, max(0.0, (done - self.start) / max(1e-9, 1.0 - self.start)))
        return self.final + (1 - self.final) * (1 + cos(pi * way)) / 2


@runtime_checkable
class Optimiser(Protocol):
    """How one network learns. Frozen settings (@config)."""

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer: ...
    def at(self, clock: Clock) -> dict[str, Any]:
        """The hyperparameters in force now, "lr" among them, for the optimiser's parameter groups."""
        ...


@config
class RMSprop:
    """Tieleman & Hinton 2012: WGAN's optimiser, for whose critic momentum is harmful (Arjovsky et al. 2017, section 4)."""

    lr: float = 5e-5
    alpha: float = 0.99
    eps: float = 1e-8
    schedule: Schedule = Constant()

    def __post_init__(self) -> None:
        refuse(not 0 < self.lr < 10, "a learning rate", self.lr, "above 0, below 10", "--optim.G.lr 5e-5")
        refuse(not 0 <= self.alpha < 1, "alpha", self.alpha, "in [0, 1)", "--optim.G.alpha 0.99")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, self.lr, self.alpha, self.eps)

    def at(self, clock: Clock) -> dict[str, Any]:
        return {"lr": self.lr * self.schedule(clock)}


@config
class Adam:
    """Kingma & Ba 2015, in torch's fused form."""

    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    eps: float = 1e-8
    schedule: Schedule = Constant()

    def __post_init__(self) -> None:
        if not 0 < self.lr < 10:
            raise GanvasError(f"a learning rate lies between 0 and 10, got {self.lr}: --optim.G.lr 2e-4")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise GanvasError(f"Adam's betas lie in [0, 1), got {self.betas}: --optim.G.betas 0.0 0.99")

        if not self.eps > 0:
            raise GanvasError(f"Adam's eps is above 0, got {self.eps}: --optim.G.eps 1e-8")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        # floats, not integers: Adam refuses mixed betas
        return torch.optim.Adam(parameters, self.lr, (float(self.betas[0]), float(self.betas[1])), self.eps, fused=True)

    def at(self, clock: Clock) -> dict[str, Any]:
        return {"lr": self.lr * self.schedule(clock)}
