"""Optimisers as settings."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from ..configuration import config
from ..core import Clock
from ..errors import require
from .schedules import Constant, Schedule


@runtime_checkable
class Optimiser(Protocol):
    """How one network learns. Frozen settings (@config)."""

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer: ...
    def at(self, clock: Clock) -> dict[str, Any]:
        """The current hyperparameters, "lr" included, for the optimiser's parameter groups."""
        ...


@runtime_checkable
class PreparesGradients(Protocol):
    """An optimiser that changes gradients between backward and its step: clips them, adds noise."""

    def prepare_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Change `grad` of one network's parameters in place. Random draws are the same on every rank."""
        ...


@config
class ClipGradients:
    """Any optimiser, with the norm of gradients limited. Pascanu et al. 2013, algorithm 1.

    max_norm: largest norm of all gradients of a network together; larger ones are scaled down.
    """

    optimiser: Optimiser
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        require(self.max_norm > 0, "max_norm", self.max_norm, "above 0")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return self.optimiser.build(parameters)

    def at(self, clock: Clock) -> dict[str, Any]:
        return self.optimiser.at(clock)

    def prepare_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        nn.utils.clip_grad_norm_(parameters, self.max_norm)


@config
class RMSprop:
    """Tieleman & Hinton 2012: WGAN's optimiser, because momentum harms its critic (Arjovsky et al. 2017, section 4)."""

    lr: float = 5e-5
    alpha: float = 0.99
    eps: float = 1e-8
    schedule: Schedule = Constant()

    def __post_init__(self) -> None:
        require(0 < self.lr < 10, "lr", self.lr, "above 0, below 10")
        require(0 <= self.alpha < 1, "alpha", self.alpha, "in [0, 1)")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, self.lr, self.alpha, self.eps)

    def at(self, clock: Clock) -> dict[str, Any]:
        return {"lr": self.lr * self.schedule(clock)}


@config
class Adam:
    """Kingma & Ba 2015, in torch's fused form.

    weight_decay: this share of the weights is added to their gradients, which pulls them towards 0.
    schedule: factor on the learning rate.
    final_betas: the betas at the end of the schedule.
    """

    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    schedule: Schedule = Constant()
    final_betas: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        require(0 < self.lr < 10, "lr", self.lr, "above 0, below 10")
        is_reached = self.final_betas is None or self.schedule != Constant()
        require(is_reached, "final_betas", self.final_betas, "given with a schedule, or left out")
        for field, betas in (("betas", self.betas), ("final_betas", self.final_betas or ())):
            require(all(0 <= beta < 1 for beta in betas), field, betas, "in [0, 1)")
        require(self.eps > 0, "eps", self.eps, "above 0")
        require(0 <= self.weight_decay < 1, "weight_decay", self.weight_decay, "in [0, 1)")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        betas = float(self.betas[0]), float(self.betas[1])  # floats, not integers: Adam refuses mixed betas
        return torch.optim.Adam(parameters, self.lr, betas, self.eps, self.weight_decay, fused=True)

    def at(self, clock: Clock) -> dict[str, Any]:
        lr = {"lr": self.lr * self.schedule(clock)}
        if self.final_betas is None:
            return lr
        progress, pairs = self.schedule.compute_progress(clock), zip(self.betas, self.final_betas, strict=True)
        return {**lr, "betas": tuple(first + progress * (last - first) for first, last in pairs)}


def make_lazy_adam(lr: float, every: int) -> Adam:
    """Adam (0, 0.99) for a network with an extra penalty step every `every` steps, corrected for the extra step.

    Karras et al. 2020a, appendix B.
    """
    share = every / (every + 1)
    return Adam(lr=lr * share, betas=(0.0, 0.99**share))
