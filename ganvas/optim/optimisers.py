"""Optimisers as settings."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from ..configuration import config
from ..core import Clock
from ..errors import GanvasError, refuse
from .schedules import Constant, Schedule


@runtime_checkable
class Optimiser(Protocol):
    """How one network learns. Frozen settings (@config)."""

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer: ...
    def at(self, clock: Clock) -> dict[str, Any]:
        """The hyperparameters in force now, "lr" among them, for the optimiser's parameter groups."""
        ...


@runtime_checkable
class PreparesGradients(Protocol):
    """An optimiser that changes gradients between backward and its step: clips them, adds noise."""

    def prepare_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Change `grad` of one network's parameters in place. Random draws are the same on every rank."""
        ...


@config
class ClipGradients:
    """Any optimiser, on gradients of at most a norm. Pascanu et al. 2013, algorithm 1.

    max_norm: of all of a network's gradients together; longer ones are shortened to it.
    """

    optimiser: Optimiser
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        refuse(not self.max_norm > 0, "max_norm", self.max_norm, "above 0", "--optim.G.max-norm 1")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return self.optimiser.build(parameters)

    def at(self, clock: Clock) -> dict[str, Any]:
        return self.optimiser.at(clock)

    def prepare_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        nn.utils.clip_grad_norm_(parameters, self.max_norm)


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
    """Kingma & Ba 2015, in torch's fused form.

    schedule: of the learning rate; `final_betas`: what the betas become on its way.
    """

    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    eps: float = 1e-8
    schedule: Schedule = Constant()
    final_betas: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.lr < 10:
            raise GanvasError(f"a learning rate lies between 0 and 10, got {self.lr}: --optim.G.lr 2e-4")
        refuse(
            self.final_betas is not None and self.schedule == Constant(),
            "Adam's final_betas",
            self.final_betas,
            "given with a schedule",
            "leave them out",
        )
        for betas in (self.betas, self.final_betas or self.betas):
            if not all(0 <= beta < 1 for beta in betas):
                raise GanvasError(f"Adam's betas lie in [0, 1), got {betas}: --optim.G.betas 0.0 0.99")
        if not self.eps > 0:
            raise GanvasError(f"Adam's eps is above 0, got {self.eps}: --optim.G.eps 1e-8")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        # floats, not integers: Adam refuses mixed betas
        return torch.optim.Adam(parameters, self.lr, (float(self.betas[0]), float(self.betas[1])), self.eps, fused=True)

    def at(self, clock: Clock) -> dict[str, Any]:
        lr = {"lr": self.lr * self.schedule(clock)}
        if self.final_betas is None:
            return lr
        progress, pairs = self.schedule.compute_progress(clock), zip(self.betas, self.final_betas, strict=True)
        return {**lr, "betas": tuple(first + progress * (last - first) for first, last in pairs)}


def make_lazy_adam(lr: float, every: int) -> Adam:
    """Adam (0, 0.99) for a network that is penalised in every so many steps: as if it were all one step.

    Karras et al. 2020a, appendix B.
    """
    share = every / (every + 1)
    return Adam(lr=lr * share, betas=(0.0, 0.99**share))
