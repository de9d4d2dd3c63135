"""What the two players want, on D's logits of real and fake samples. Each is an equation of its paper."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ..configuration import config
from ..core import Clock
from ..errors import refuse
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
    """Distances of D's outputs to 1 and 0, which still pull where a logit has saturated. Mao et al. 2017, eq. 9.

    Both losses are halved, as there; CycleGAN and others halve D's alone.
    """

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - 1).square() + fake.square()) / 2

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return (fake - 1).square() / 2


@config
class Wasserstein:
    """The difference of a critic's means, an earth mover's distance if the critic is 1-Lipschitz. Arjovsky et al. 2017, eq. 2.

    Something has to make it so: WeightClipping, GradientPenalty or SpectralNorm.
    """

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake - real

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return -fake


@config
class Hinge:
    """D has no wish beyond a margin of 1. Lim & Ye 2017; Miyato et al. 2018, eqs. 16 and 17."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real) + relu(1 + fake)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return -fake


@config
class RelativisticPairing:
    """Each fake against a real of its own: only the difference counts. Huang et al. 2024 (R3GAN), eq. 2."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return softplus(real() - fake)


@config
class RelativisticAverage:
    """Reals more real than fakes are on average, and the other way round. Jolicoeur-Martineau 2018, eqs. 7 and 8."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake.mean() - real) + softplus(fake - real.mean())

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        reals = real()
        return softplus(reals.mean() - fake) + softplus(reals - fake.mean())


@config
class LabelSmoothing:
    """One-sided label smoothing: D is to call reals real with probability `target`, no more. Salimans et al. 2016, section 3.4.

    With cross-entropy, target·softplus(-r) + (1 - target)·softplus(r) is softplus(-r) + (1 - target)·r: so it is written
    here, for any objective. (r - target)²/2 of least squares differs from that by a constant.
    """

    objective: LeastSquares | NonSaturating | Minimax = NonSaturating()
    target: float = 0.9

    def __post_init__(self) -> None:
        refuse(not 0.5 < self.target <= 1, "target", self.target, "above 0.5, at most 1", "--method.objective.target 0.9")

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.objective.d(real, fake) + (1 - self.target) * real

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return self.objective.g(fake, real)


@config
class TopK:
    """G learns from its best fakes alone, the share of them falling from all to `least`. Sinha et al. 2020, section 3.1.

    decay: of the share with every `samples` samples (in the paper, an epoch).
    """

    min_share: float = 0.5
    decay: float = 0.99
    samples: int = 50_000

    def __post_init__(self) -> None:
        refuse(not 0 < self.min_share <= 1, "method.top_k.least", self.min_share, "in (0, 1]", "--method.top-k.least 0.5")
        refuse(self.samples < 1, "method.top_k.samples", self.samples, "1 or more", "--method.top-k.samples 50000")
        refuse(not 0 < self.decay < 1, "method.top_k.decay", self.decay, "in (0, 1)", "--method.top-k.decay 0.99")

    def __call__(self, loss: Tensor, fake: Tensor, clock: Clock) -> Tensor:
        """G's losses [N] of fakes with logits [N]: those of the lowest set to 0, the others made up for them."""
        loss, fake = average_patches(loss), average_patches(fake)
        count = max(1, round(len(fake) * max(self.min_share, self.decay ** (clock.samples / self.samples))))
        factors = torch.zeros_like(fake).scatter_(0, fake.detach().topk(count).indices, len(fake) / count)
        return loss * factors
