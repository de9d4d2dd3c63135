"""What the two players want, on D's logits of real and fake samples. Each is an equation of its paper."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

from .config import config


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
class RelativisticPairing:
    """Each fake against a real of its own: only the difference counts. Huang et al. 2024 (R3GAN), eq. 2."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real)

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return softplus(real() - fake)
