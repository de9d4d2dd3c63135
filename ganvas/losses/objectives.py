"""The losses of D and G, from D's logits of real and fake samples. Each is an equation of its paper."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ..configuration import config
from ..core import Clock, Objective
from ..errors import require
from .patches import average_patches


@config
class Minimax:
    """The zero-sum game: G minimises log(1 - D(G(z))). Goodfellow et al. 2014, eq. 1. G's gradient vanishes where D wins."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-real) + softplus(fake)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return -softplus(fake)


@config
class NonSaturating:
    """D as in the minimax game, G maximises log D(G(z)). Goodfellow et al. 2014, section 3."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-real) + softplus(fake)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return softplus(-fake)


@config
class LeastSquares:
    """Squared distances of D's outputs to 1 and 0, whose gradients do not saturate. Mao et al. 2017, eq. 9.

    Both losses are halved, as in the paper; CycleGAN and others halve only D's.
    """

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - 1).square() + fake.square()) / 2

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return (fake - 1).square() / 2


@config
class Wasserstein:
    """The difference of a critic's means: an earth mover's distance if the critic is 1-Lipschitz. Arjovsky et al. 2017, eq. 2.

    Use WeightClipping, GradientPenalty or WithSpectralNorm to make it so.
    """

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake - real

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return -fake


@config
class Hinge:
    """Hinge losses: D's is zero beyond a margin of 1. Lim & Ye 2017; Miyato et al. 2018, eqs. 16 and 17."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real) + relu(1 + fake)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return -fake


@config
class RelativisticPairing:
    """Each fake against one real: only the difference of their logits counts. Huang et al. 2024 (R3GAN), eq. 2."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return softplus(real() - fake)


@config
class RelativisticAverage:
    """Each real against the average fake, each fake against the average real. Jolicoeur-Martineau 2018, eqs. 7 and 8."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake.mean() - real) + softplus(fake - real.mean())

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        reals = real()
        return softplus(reals.mean() - fake) + softplus(reals - fake.mean())


@config
class LabelSmoothing:
    """One-sided label smoothing: reals are real with probability `target` instead of 1. Salimans et al. 2016, section 3.4.

    For cross-entropy, target·softplus(-r) + (1 - target)·softplus(r) equals softplus(-r) + (1 - target)·r. All objectives use
    this form; for least squares it differs from (r - target)²/2 by a constant.
    """

    objective: LeastSquares | NonSaturating | Minimax = NonSaturating()
    target: float = 0.9

    def __post_init__(self) -> None:
        require(0.5 < self.target <= 1, "target", self.target, "in (0.5, 1]")

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.objective.d(real, fake) + (1 - self.target) * real

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return self.objective.g(fake, real)


@config
class WeightedObjective:
    """An objective that counts `weight` times in G's loss, and `d_weight` times in D's, beside other losses.

    SRGAN has 1e-3 and ESRGAN 5e-3 for G. CycleGAN halves least squares only for D: weight 2 with LeastSquares. DF-GAN halves
    the hinge for D, whose other half is on wrong captions.
    """

    objective: Objective = NonSaturating()
    weight: float = 1.0
    d_weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")
        require(self.d_weight >= 0, "d_weight", self.d_weight, "0 or more")

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.d_weight * self.objective.d(real, fake)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return self.weight * self.objective.g(fake, real)


@config
class TopK:
    """G learns only from its best fakes, whose share falls from all to `min_share`. Sinha et al. 2020, section 3.1.

    decay: factor on the share for every `samples` samples (in the paper, an epoch).
    """

    min_share: float = 0.5
    decay: float = 0.99
    samples: int = 50_000

    def __post_init__(self) -> None:
        require(0 < self.min_share <= 1, "min_share", self.min_share, "in (0, 1]")
        require(self.samples >= 1, "samples", self.samples, "1 or more")
        require(0 < self.decay < 1, "decay", self.decay, "in (0, 1)")

    def __call__(self, loss: Tensor, fake: Tensor, clock: Clock) -> Tensor:
        """G's losses [N] of fakes with logits [N]: 0 for the lowest logits, the others scaled up to compensate."""
        loss, fake = average_patches(loss), average_patches(fake)
        count = max(1, round(len(fake) * max(self.min_share, self.decay ** (clock.samples / self.samples))))
        factors = torch.zeros_like(fake).scatter_(0, fake.detach().topk(count).indices, len(fake) / count)
        return loss * factors
