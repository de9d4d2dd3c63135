"""What a step of training is, and who plays which part."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from .samples import NO_REQUEST, Batch, Codec, Exhibit, Latents, Nets, Request, Spec, Traits


class Clock(NamedTuple):
    """Where training stands. `samples` counts batch x steps, whichever phases ran."""

    step: int
    samples: int
    total: int


class Turn(NamedTuple):
    """What a loss returns. The loop sums the terms' means and steps on them."""

    terms: Mapping[str, Tensor]  # [N] or scalar, by name: "D/adversarial"
    statistics: Mapping[str, Tensor] = {}  # detached: scalars are logged; all go to `after` and into the later phases' batch


class Phase(NamedTuple):
    """One move: who learns, from what loss, how often."""

    name: str
    trains: tuple[str, ...]
    loss: Callable[[Nets, Batch, Clock], Turn]
    every: int = 1  # play on steps divisible by this
    repeat: int = 1
    needs_data: bool = True  # False: needs no data
    gate: Callable[[Mapping[str, Tensor]], bool] | None = None  # a gate on what was seen (3D-GAN's D, TimeGAN's D)
    after: Callable[[Nets, Mapping[str, Tensor], Clock], None] | None = None  # without gradients, after the step


class CriticOutput(NamedTuple):
    """What a critic says of samples, and what its last layer saw."""

    logits: Tensor  # [N], or [N, …] of patches or packs
    features: Tensor  # [N, F]


class ShownSamples(NamedTuple):
    """Samples as D was shown them, and what it said."""

    x: Tensor
    output: CriticOutput


class LossInputs(NamedTuple):
    """A player's turn, as what stands beside the objective sees it."""

    player: str  # whose turn it is
    nets: Nets
    batch: Batch
    clock: Clock
    fake: ShownSamples
    real: Callable[[], ShownSamples]  # in G's turn without gradients, and only if asked for
    critic: Callable[[Tensor, Mapping[str, Tensor]], CriticOutput]  # D on x under conditions of one's own: other captions


class Stage(NamedTuple):
    """A stretch of training with its own phases; most methods have one."""

    name: str
    phases: tuple[Phase, ...]
    batch: int | None = None  # None: the recipe's
    optimisers_to_reset: tuple[str, ...] = ()  # networks whose optimisers start afresh on entering
    is_full_size: bool = True  # False: samples are not yet what the run is to make, and none of them is its best


@runtime_checkable
class Architecture(Protocol):
    """Networks that belong together. Frozen settings (@config)."""

    def build(self, spec: Spec) -> nn.ModuleDict:
        """{"G": …, "D": …} for samples of this spec. Raises GanvasError for a spec it cannot make."""
        ...

    def smallest(self) -> "Architecture":
        """The same in as few parameters as it goes, for tests."""
        ...


@runtime_checkable
class Objective(Protocol):
    """What the two players want, in logits. Frozen settings (@config)."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """D's loss on its logits of real and of fake samples, [N, …] each -> [N, …]."""
        ...

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        """G's loss on D's logits of its samples, [N, …] -> [N, …]; only relativistic losses call `real()`."""
        ...


@runtime_checkable
class Augment(Protocol):
    """A random change of samples that gradients pass through. Frozen settings (@config).

    One that adapts to D is an Extra as well, whose memory it finds in `nets`.
    """

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        """Samples -> samples of the same shape, drawn from the global generators."""
        ...


@runtime_checkable
class CriticPenalty(Protocol):
    """What keeps D smooth. Frozen settings (@config)."""

    @property
    def on(self) -> Literal["real", "fake", "between"]: ...
    @property
    def every(self) -> int: ...  # above 1: a phase of its own, its loss times `every`
    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        """[N] penalties at x; `logits` is critic(x) where the turn has it already, else None."""
        ...


@runtime_checkable
class GeneratorPenalty(Protocol):
    """What keeps G smooth, in a phase of its own. Frozen settings (@config); its memory is kept under the name of its class."""

    @property
    def every(self) -> int: ...
    @property
    def subsample(self) -> int: ...  # it is taken of one in so many samples
    def state(self, nets: Nets) -> nn.Module:
        """What it remembers between steps. Raises GanvasError for networks that it does not fit."""
        ...

    def __call__(self, nets: Nets, latents: Latents) -> Turn:
        """{"G/…": [N]} at latents, and what `after` wants to see."""
        ...

    def after(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """What it remembers, after the step."""
        ...


@runtime_checkable
class AuxiliaryLoss(Protocol):
    """What stands beside the objective in players' turns: terms of their losses, changes after their steps.

    Frozen settings (@config). What it remembers is a module, kept with the networks under the name of its class.
    """

    @property
    def trains(self) -> tuple[str, ...]: ...  # in whose turns it takes part: "G", "D"
    def state(self, nets: Nets) -> nn.Module | None:
        """What it remembers between steps."""
        ...

    def term(self, inputs: LossInputs) -> Tensor | None:
        """Of the player's loss: [N] or a scalar."""
        ...

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """What changes after the player's step, without gradients; `seen` holds the means that the turn reported."""
        ...


@runtime_checkable
class Method(Protocol):
    """What a turn is. Frozen settings (@config)."""

    @property
    def averaged_networks(self) -> tuple[str, ...]: ...  # networks whose moving average is sampled
    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        """Its own buffers (ADA's p, the path-length mean, image pools), kept with the networks."""
        ...

    def traits(self, nets: Nets) -> Traits: ...
    def stage(self, nets: Nets, clock: Clock) -> Stage: ...
    def draw_latents(self, nets: Nets, n: int, generator: torch.Generator, request: Request = NO_REQUEST) -> Latents: ...
    def render(self, nets: Nets, latents: Latents) -> Tensor:
        """Samples x from latents. Sampling is draw_latents, then render."""
        ...


@runtime_checkable
class ExhibitingMethod(Protocol):
    """A method with things of its own to show when training ends."""

    def exhibits(self, nets: Nets, codec: Codec, columns: Batch) -> Sequence[Exhibit]:
        """What to show, from some held-out rows in stored form."""
        ...


@runtime_checkable
class Reconstructor(Protocol):
    """A method whose networks make samples again from what they keep of them."""

    def reconstruct(self, nets: Nets, batch: Batch) -> Tensor:
        """x like the batch's."""
        ...
