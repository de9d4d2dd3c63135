"""Training steps, and the parts that play a role in them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from .samples import NO_REQUEST, Batch, Codec, Dataset, Exhibit, Latents, Nets, Request, Spec, Traits


class Clock(NamedTuple):
    """How far training is. `samples` counts batch x steps, whichever phases ran."""

    step: int
    samples: int
    total: int


class Turn(NamedTuple):
    """The result of a loss. The loop adds up the terms' means and steps on the sum."""

    terms: Mapping[str, Tensor]  # [N] or scalar, by name: "D/adversarial"
    statistics: Mapping[str, Tensor] = {}  # detached; scalars go into the log, all go to `after` and later phases' batches


class NoisyLoss(NamedTuple):
    """A loss on samples of the data that tells a network little of any one of them (DP-SGD; Abadi et al. 2016)."""

    losses: Callable[[Nets, Batch, Clock], Tensor]  # of each sample, [N]; none depends on another sample
    clip: float  # each sample's gradient is scaled down to this norm
    sigma: float  # the deviation of the noise on their sum, in units of `clip`


class Phase(NamedTuple):
    """One part of a step: which networks learn, from which loss, and how often."""

    name: str
    trains: tuple[str, ...]
    loss: Callable[[Nets, Batch, Clock], Turn]
    every: int = 1  # runs on steps divisible by this
    repeat: int = 1
    needs_data: bool = True
    gate: Callable[[Mapping[str, Tensor]], bool] | None = None  # decides from the statistics (3D-GAN's D, TimeGAN's D)
    after: Callable[[Nets, Mapping[str, Tensor], Clock], None] | None = None  # runs after the step, without gradients
    noisy: NoisyLoss | None = None  # on the data; `loss` then sees none


class CriticOutput(NamedTuple):
    """A critic's logits of samples, and the inputs of its last layer."""

    logits: Tensor  # [N], or [N, …] of patches or packs
    features: Tensor  # [N, F]


class ShownSamples(NamedTuple):
    """Samples that D was given, and D's output."""

    x: Tensor
    output: CriticOutput


class LossInputs(NamedTuple):
    """The inputs of an auxiliary loss in a player's turn."""

    player: str  # whose turn it is
    nets: Nets
    batch: Batch
    clock: Clock
    fake: ShownSamples
    real: Callable[[], ShownSamples]  # in G's turn without gradients, and computed only on the first call
    critic: Callable[[Tensor, Mapping[str, Tensor]], CriticOutput]  # D on x under other conditions, such as wrong captions


class Stage(NamedTuple):
    """A stretch of training with its own phases; most methods have one."""

    name: str
    phases: tuple[Phase, ...]
    batch: int | None = None  # None: the recipe's batch
    optimisers_to_reset: tuple[str, ...] = ()  # networks whose optimisers start afresh with this stage
    is_full_size: bool = True  # False below full resolution; such checkpoints are never chosen as best


@runtime_checkable
class Architecture(Protocol):
    """Networks that belong together. Frozen settings (@config)."""

    def build(self, spec: Spec) -> nn.ModuleDict:
        """{"G": …, "D": …} for samples of this spec. Raises GanvasError for a spec that it does not support."""
        ...

    def smallest(self) -> "Architecture":
        """The same architecture with as few parameters as possible, for tests."""
        ...


@runtime_checkable
class Objective(Protocol):
    """The two players' losses on logits. Frozen settings (@config)."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """D's loss on its logits of real and fake samples, [N, …] each -> [N, …]."""
        ...

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        """G's loss on D's logits of G's samples, [N, …] -> [N, …]; only relativistic losses call `real()`."""
        ...


@runtime_checkable
class Augment(Protocol):
    """A random, differentiable change of samples. Frozen settings (@config).

    An augmentation that adapts to D is an AuxiliaryLoss as well, and finds its state in `nets`.
    """

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        """Samples -> samples of the same shape; random numbers come from the global generators."""
        ...


@runtime_checkable
class CriticPenalty(Protocol):
    """A loss that keeps D smooth. Frozen settings (@config)."""

    @property
    def on(self) -> Literal["real", "fake", "between"]: ...
    @property
    def every(self) -> int: ...  # above 1: a separate phase, its loss times `every`
    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        """[N] penalties at x; `logits` is critic(x) if the turn computed it already, else None."""
        ...


@runtime_checkable
class GeneratorPenalty(Protocol):
    """A loss that keeps G smooth, in a separate phase. Frozen settings (@config); its class names its state in `nets`."""

    @property
    def every(self) -> int: ...
    @property
    def subsample(self) -> int: ...  # it uses one in so many samples of the batch
    def state(self, nets: Nets) -> nn.Module:
        """Its state between steps. Raises GanvasError for networks that it does not fit."""
        ...

    def __call__(self, nets: Nets, latents: Latents) -> Turn:
        """{"G/…": [N]} at latents, and the statistics that `after` needs."""
        ...

    def after(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """Update its state after the step."""
        ...


@runtime_checkable
class AuxiliaryLoss(Protocol):
    """Adds a term to players' losses besides the objective, or changes something after their steps.

    Frozen settings (@config). Its state is a module in `nets`, under the name of its class.
    """

    @property
    def trains(self) -> tuple[str, ...]: ...  # the players in whose turns it takes part: "G", "D"
    def state(self, nets: Nets) -> nn.Module | None:
        """Its state between steps; None if it has none."""
        ...

    def term(self, inputs: LossInputs) -> Tensor | None:
        """A term of the player's loss, [N] or a scalar; None for no term."""
        ...

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """Make its changes after the player's step, without gradients; `statistics` are those of the turn."""
        ...


@runtime_checkable
class Method(Protocol):
    """A way to train networks and to sample from them. Frozen settings (@config)."""

    @property
    def averaged_networks(self) -> tuple[str, ...]: ...  # networks whose moving average makes the samples
    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        """Its own state (ADA's p, the path-length mean, image pools), saved with the networks."""
        ...

    def traits(self, nets: Nets) -> Traits: ...
    def stage(self, nets: Nets, clock: Clock) -> Stage: ...
    def draw_latents(self, nets: Nets, n: int, generator: torch.Generator, request: Request = NO_REQUEST) -> Latents: ...
    def render(self, nets: Nets, latents: Latents) -> Tensor:
        """Samples x from latents. Sampling is draw_latents, then render."""
        ...


@runtime_checkable
class PrivateMethod(Protocol):
    """A method with a promise of privacy. Nothing may score, show or choose by its training samples."""

    @property
    def epsilon(self) -> float: ...
    @property
    def delta(self) -> float: ...


class StatisticsRelease(NamedTuple):
    """Statistics of the training samples, with noise that makes them private."""

    tensors: Mapping[str, Tensor]
    ledger: str  # what they cost, as JSON (privacy.Ledger)
    sentences: tuple[str, ...]  # for people: what that means


@runtime_checkable
class ReleasingMethod(PrivateMethod, Protocol):
    """A method that sees the training samples once, before the first step, and learns from noisy statistics of them alone."""

    def release(self, data: Dataset) -> StatisticsRelease:
        """The statistics. Each call has new noise and costs privacy, so a run calls it once."""
        ...

    def load_release(self, nets: Nets, tensors: Mapping[str, Tensor]) -> None:
        """Put released statistics among new networks, which may begin with them. Checkpoints keep them."""
        ...


@runtime_checkable
class NoisyMethod(PrivateMethod, Protocol):
    """A method that sees the training samples in every step, through a `NoisyLoss` in one phase that runs in every step."""

    @property
    def sigma(self) -> float | None: ...  # of the noise; None before a plan has fixed it
    def fix_noise(self, q: float, steps: int) -> "NoisyMethod":
        """The method with the least noise that keeps its promise for so many steps.

        Args:
            q: the probability with which each sample joins a batch.
        """
        ...


@runtime_checkable
class ExhibitingMethod(Protocol):
    """A method that has exhibits of its own for the end of training."""

    def exhibits(self, nets: Nets, codec: Codec, columns: Batch) -> Sequence[Exhibit]:
        """The exhibits, from some held-out rows in stored form."""
        ...


@runtime_checkable
class Reconstructor(Protocol):
    """A method whose networks reconstruct samples from their codes."""

    def reconstruct(self, nets: Nets, batch: Batch) -> Tensor:
        """Reconstructions of the batch's x, of the same shape."""
        ...
