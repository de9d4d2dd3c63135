"""Wasserstein GANs, which bound the critic's slope by clipping or by a penalty."""

from dataclasses import replace

from ..losses import GradientPenalty, WeightClipping
from ..losses.objectives import Wasserstein
from ..methods import Adversarial
from ..nets import DCGAN
from ..optim.optimisers import Adam, RMSprop
from ..recipe import Recipe, Train
from .dcgan import dcgan


def wgan() -> Recipe:
    """Images, 32 px: the critic's weights are clipped to 0.01, which restricts it more than needed.

    Paper: Arjovsky, Chintala & Bottou 2017, algorithm 1: five critic steps, RMSprop 5e-5, batch 64; DCGAN's networks.
    Expected: not trained here: the paper's width and five critic steps need a GPU; see wgan_small.
    """
    rmsprop = RMSprop(lr=5e-5)
    return replace(
        dcgan(),
        name="wgan",
        nets=DCGAN(width=64, kernel=4),
        method=Adversarial(objective=Wasserstein(), auxiliary_losses=(WeightClipping(bound=0.01),), critic_steps=5),
        optim={"G": rmsprop, "D": rmsprop},
        train=Train(samples=300_000, batch=64),
    )


def wgan_gp() -> Recipe:
    """Images, 32 px: a gradient penalty keeps the critic's slope near 1.

    Paper: Gulrajani et al. 2017, algorithm 1: penalty 10, five critic steps, Adam 1e-4 (0, 0.9), no batch norm in the critic.
    Expected: not trained here: 14 samples/s on two cores, at the paper's width and five critic steps; see wgan_gp_small.
    """
    adam = Adam(lr=1e-4, betas=(0.0, 0.9))
    return replace(
        wgan(),
        name="wgan_gp",
        nets=DCGAN(width=64, kernel=4, d_norm="none"),
        method=Adversarial(objective=Wasserstein(), penalties=(GradientPenalty(gamma=10.0),), critic_steps=5),
        optim={"G": adam, "D": adam},
    )


def wgan_small() -> Recipe:
    """Images, 32 px, for CPUs: narrow networks.

    Paper: Arjovsky, Chintala & Bottou 2017.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 28.1, coverage 0.08 (docs/results.md).
    """
    return replace(wgan(), name="wgan_small", nets=DCGAN(width=24, kernel=4))


def wgan_gp_small() -> Recipe:
    """Images, 32 px, for CPUs: narrow networks, one critic step at twice G's rate instead of five.

    Paper: Gulrajani et al. 2017; two time-scales, Heusel et al. 2017.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 5.3, coverage 0.52 (docs/results.md).
    """
    return replace(
        wgan_gp(),
        name="wgan_gp_small",
        nets=DCGAN(width=24, kernel=4, d_norm="none"),
        method=Adversarial(objective=Wasserstein(), penalties=(GradientPenalty(gamma=10.0),)),
        optim={"G": Adam(lr=5e-4, betas=(0.0, 0.9)), "D": Adam(lr=1e-3, betas=(0.0, 0.9))},
        train=Train(samples=300_000, batch=64, ema_kimg=10.0),
    )
