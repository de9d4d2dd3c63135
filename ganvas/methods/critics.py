"""Critics as functions for objectives and penalties, and further critics besides D."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..configuration import config
from ..core import CriticOutput, CriticPenalty, Nets, ShownSamples
from ..errors import GanvasError

Critic = Callable[[Tensor], CriticOutput]


@runtime_checkable
class View(Protocol):
    """A differentiable transform of samples, such as a spectrum, that a critic sees. Frozen settings (@config)."""

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, …] -> the critic's input: a spectrum, half the size, one of several columns."""
        ...


@config
class SideCritic:
    """A further critic besides D, with its own network, loss, penalties and view of the same samples.

    network: the name of its network in the recipe.
    view: a transform of samples before it sees them; None shows them as D sees them.
    penalties: on this critic as a function of what it sees, all in every step.
    weight: of its loss in G's loss.
    """

    network: str
    view: View | None = None
    penalties: tuple[CriticPenalty, ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        lazy = [type(penalty).__name__ for penalty in self.penalties if penalty.every > 1]
        if lazy:
            raise GanvasError(f"a side critic's penalties run in every step: set every=1 on {lazy[0]}")

    def see(self, x: Tensor) -> Tensor:
        """This critic's view of x [N, …]."""
        return x if self.view is None else self.view(x)


def build_critic(nets: Nets, conditions: Mapping[str, Tensor], name: str = "D") -> Critic:
    """A critic under conditions. Its logits are fp32, whatever precision it computes in."""

    def run_critic(x: Tensor) -> CriticOutput:
        output = nets[name](x, **conditions)
        return CriticOutput(output.logits.float(), output.features)

    return run_critic


def show_samples(critic: Critic, x: Tensor) -> ShownSamples:
    return ShownSamples(x, critic(x))


def drop_features(critic: Critic) -> Callable[[Tensor], Tensor]:
    return lambda x: critic(x).logits


def interpolate_pairs(real: Tensor, fake: Tensor) -> Tensor:
    """A random point on the line from each real to a fake; one ε ~ U(0, 1) per sample. Gulrajani et al. 2017, algorithm 1."""
    epsilon = torch.rand([len(real)] + [1] * (real.dim() - 1), device=real.device)
    return torch.lerp(fake.float(), real.float(), epsilon)
