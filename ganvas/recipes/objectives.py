"""DCGAN's networks under other objectives."""

from dataclasses import replace

from ..losses import Dragan
from ..losses.objectives import LeastSquares, NonSaturating, RelativisticAverage
from ..methods import Adversarial
from ..recipe import Recipe
from .dcgan import dcgan_small


def lsgan() -> Recipe:
    """Images, 32 px: least squares instead of cross-entropy.

    Paper: Mao et al. 2017, eq. 9.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 5.8, coverage 0.53 (docs/results.md).
    """
    return replace(dcgan_small(), name="lsgan", method=Adversarial(objective=LeastSquares()))


def ragan() -> Recipe:
    """Images, 32 px: fakes against the average real, reals against the average fake.

    Paper: Jolicoeur-Martineau 2018, RaSGAN.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 8.1, coverage 0.44 (docs/results.md).
    """
    return replace(dcgan_small(), name="ragan", method=Adversarial(objective=RelativisticAverage()))


def dragan() -> Recipe:
    """Images, 32 px: the classic loss; a penalty keeps D's slope near 1 around reals.

    Paper: Kodali et al. 2017: penalty 10, one step each. D keeps its batch norm: without it, D wins outright on some data.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 2.5, coverage 0.72 (docs/results.md).
    """
    return replace(dcgan_small(), name="dragan", method=Adversarial(objective=NonSaturating(), penalties=(Dragan(gamma=10.0),)))
