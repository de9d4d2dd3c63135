"""Critics as functions for objectives and penalties, and further critics besides D."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import AuxiliaryLoss, Clock, CriticOutput, CriticPenalty, LossInputs, Nets, ShownSamples
from ..errors import GanvasError

Critic = Callable[[Tensor], CriticOutput]


@runtime_checkable
class View(Protocol):
    """A differentiable transform of samples, such as a spectrum, that a critic sees. Frozen settings (@config)."""

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, …] -> the critic's input: a spectrum, half the size, one of several columns."""
        ...


@runtime_checkable
class NetworkView(Protocol):
    """A view that asks its critic's network where to look, such as where a picture lies in x. Frozen settings (@config)."""

    def see(self, x: Tensor, network: nn.Module) -> Tensor:
        """x [N, …] -> the critic's input."""
        ...


@config
class SideCritic:
    """A further critic besides D, with its own network, loss, penalties and view of the same samples.

    network: the name of its network in the recipe.
    view: a transform of samples before it sees them; None shows them as D sees them.
    penalties: on this critic as a function of what it sees, all in every step.
    auxiliary_losses: more terms of its own loss, without a state, such as `MismatchedCaptions`.
    weight: of its loss in G's loss.
    """

    network: str
    view: View | NetworkView | None = None
    penalties: tuple[CriticPenalty, ...] = ()
    auxiliary_losses: tuple[AuxiliaryLoss, ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_penalties_run_always("a side critic", self.penalties)

    def check_auxiliary_losses(self, nets: Nets) -> None:
        """Raises GanvasError for a loss that keeps a state, which has no place here."""
        names = [type(auxiliary).__name__ for auxiliary in self.auxiliary_losses if auxiliary.state(nets) is not None]
        if names:
            raise GanvasError(f"{names[0]} keeps a state, which a side critic has no place for: give it to the method itself")

    def see(self, x: Tensor, network: nn.Module) -> Tensor:
        """This critic's view of x [N, …]; `network` is its own."""
        if isinstance(self.view, NetworkView):
            return self.view.see(x, network)
        return x if self.view is None else self.view(x)


def check_penalties_run_always(owner: str, penalties: tuple[CriticPenalty, ...]) -> None:
    """Raises GanvasError for a penalty that skips steps, or for two of one type."""
    names = [type(penalty).__name__ for penalty in penalties]
    lazy_names = [name for name, penalty in zip(names, penalties, strict=True) if penalty.every > 1]
    if lazy_names:
        raise GanvasError(f"{owner}'s penalties run in every step: set every=1 on {lazy_names[0]}")
    if len(names) != len(set(names)):
        raise GanvasError(f"{owner}'s penalties must not repeat a type, got {', '.join(names)}: keep one of each")


def build_critic(nets: Nets, conditions: Mapping[str, Tensor], name: str = "D") -> Critic:
    """A critic under conditions. Its logits are fp32, whatever precision it computes in."""

    def run_critic(x: Tensor) -> CriticOutput:
        output = nets[name](x, **conditions)
        return CriticOutput(output.logits.float(), output.features)

    return run_critic


def ask_side_critic(
    side: SideCritic, nets: Nets, conditions: Mapping[str, Tensor]
) -> Callable[[Tensor, Mapping[str, Tensor]], CriticOutput]:
    """A further critic on its view of samples, under conditions other than these, for its auxiliary losses."""
    return lambda x, others: build_critic(nets, {**conditions, **others}, side.network)(x)


def show_samples(critic: Critic, x: Tensor) -> ShownSamples:
    return ShownSamples(x, critic(x))


def describe_logits(name: str, real: ShownSamples, fake: ShownSamples) -> dict[str, Tensor]:
    """A critic's mean logits, and the share of reals that it takes for real in [-1, 1], for the log."""
    real_logits, fake_logits = real.output.logits.detach(), fake.output.logits.detach()
    return {f"{name}/real": real_logits.mean(), f"{name}/fake": fake_logits.mean(), f"{name}/sign": real_logits.sign().mean()}


def drop_features(critic: Critic) -> Callable[[Tensor], Tensor]:
    return lambda x: critic(x).logits


def interpolate_pairs(real: Tensor, fake: Tensor, pack: int = 1) -> Tensor:
    """A random point on the line from each real to a fake; one ε ~ U(0, 1) per sample. Gulrajani et al. 2017, algorithm 1.

    pack: so many samples after each other have the same ε, because D judges them together.
    """
    epsilon = torch.rand([-(-len(real) // pack)] + [1] * (real.dim() - 1), device=real.device)
    return torch.lerp(fake.float(), real.float(), epsilon.repeat_interleave(pack, 0)[: len(real)])


def collect_auxiliary_terms(auxiliary_losses: tuple[AuxiliaryLoss, ...], inputs: LossInputs, name: str) -> dict[str, Tensor]:
    """The terms of auxiliary losses in a player's turn, in the loss of the network `name`."""
    terms = {
        type(auxiliary).__name__: auxiliary.term(inputs) for auxiliary in auxiliary_losses if inputs.player in auxiliary.trains
    }
    return {f"{name}/{loss}": term for loss, term in terms.items() if term is not None}


def collect_penalties(
    name: str,
    penalties: tuple[CriticPenalty, ...],
    critics: tuple[Critic, Critic],
    real: ShownSamples,
    fake: ShownSamples,
    clock: Clock,
) -> dict[str, Tensor]:
    """The penalties in every turn of a critic; `critics` are (the critic of reals, the critic of fakes)."""
    terms: dict[str, Tensor] = {}
    for penalty in penalties:
        if penalty.every == 1:
            pack = -(-len(real.x) // len(real.output.logits))
            x = (
                interpolate_pairs(real.x, fake.x, pack)
                if penalty.on == "between"
                else (real if penalty.on == "real" else fake).x
            )
            logits = {"real": real.output.logits, "fake": fake.output.logits}.get(penalty.on)
            critic = critics[1] if penalty.on == "fake" else critics[0]
            terms[f"{name}/{type(penalty).__name__}"] = penalty(drop_features(critic), x, logits, clock)
    return terms
