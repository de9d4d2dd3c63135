"""Critics as objectives and penalties see them, and further critics beside D."""

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
    """What a critic sees of samples, through which gradients pass. Frozen settings (@config)."""

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, …] -> what the critic takes: a spectrum, a half of the size, one of several columns."""
        ...


@config
class SideCritic:
    """A further critic beside D, with its own network, loss and penalties on its own view of the same samples.

    network: its name among the networks that the recipe builds.
    view: what it sees of samples; None shows them as D sees them.
    penalties: on this critic, each in every step.
    weight: of its loss in G's.
    """

    network: str
    view: View | None = None
    penalties: tuple[CriticPenalty, ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        lazy = [type(penalty).__name__ for penalty in self.penalties if penalty.every > 1]
        if lazy:
            raise GanvasError(f"a further critic's penalties are part of every step: give {lazy[0]} every=1")

    def look(self, critic: Critic) -> Critic:
        """The critic, shown its own view."""
        view = self.view
        return critic if view is None else lambda x: critic(view(x))


def build_critic(nets: Nets, conditions: Mapping[str, Tensor], name: str = "D") -> Critic:
    """A critic under conditions, its logits in full precision, whatever it computes in."""

    def run_critic(x: Tensor) -> CriticOutput:
        output = nets[name](x, **conditions)
        return CriticOutput(output.logits.float(), output.features)

    return run_critic


def show_samples(critic: Critic, x: Tensor) -> ShownSamples:
    return ShownSamples(x, critic(x))


def drop_features(critic: Critic) -> Callable[[Tensor], Tensor]:
    return lambda x: critic(x).logits


def interpolate_pairs(real: Tensor, fake: Tensor) -> Tensor:
    """A point on the line from each real to a fake, ε ~ U(0, 1) a sample. Gulrajani et al. 2017, algorithm 1."""
    epsilon = torch.rand([len(real)] + [1] * (real.dim() - 1), device=real.device)
    return torch.lerp(fake.float(), real.float(), epsilon)
