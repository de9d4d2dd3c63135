"""Samples of a requested class: three ways to show D the label."""

from dataclasses import replace

from ..losses import Classification
from ..losses.objectives import NonSaturating
from ..methods import Adversarial
from ..nets import DCGAN, AuxiliaryClassifier, Concatenation, Projection
from ..recipe import Recipe
from .dcgan import dcgan_small
from .gan import gan


def cgan() -> Recipe:
    """Images with labels: multilayer perceptrons, with the label joined to z and to the sample.

    Paper: Mirza & Osindero 2014.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 9.4, coverage 0.25 (docs/results.md).
    """
    recipe = gan()
    return replace(recipe, name="cgan", nets=Concatenation(nets=recipe.nets))


def acgan() -> Recipe:
    """Images with labels, 32 px: D also predicts the class, which G has to show.

    Paper: Odena, Olah & Shlens 2017.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 3.8, coverage 0.55 (docs/results.md).
    """
    return replace(
        dcgan_small(),
        name="acgan",
        nets=AuxiliaryClassifier(nets=DCGAN(width=24, kernel=4)),
        method=Adversarial(objective=NonSaturating(), auxiliary_losses=(Classification(),)),
    )


def projection() -> Recipe:
    """Images with labels, 32 px: D projects its features on a direction for each class.

    Paper: Miyato & Koyama 2018, on DCGAN's networks; sngan has their own.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 3.0, coverage 0.66 (docs/results.md).
    """
    return replace(
        dcgan_small(),
        name="projection",
        nets=Projection(nets=DCGAN(width=24, kernel=4)),
        method=Adversarial(objective=NonSaturating()),
    )
