"""Residual networks with hinge loss and spectral norm: SNGAN, SAGAN, BigGAN."""

from dataclasses import replace

from ..losses import Orthogonal
from ..losses.objectives import Hinge
from ..methods import Adversarial
from ..nets import SAGAN, SNGAN, BigGAN, BigGANDeep
from ..optim.optimisers import Adam
from ..recipe import Recipe, Train
from .dcgan import dcgan


def sngan() -> Recipe:
    """Images, 32 px: residual networks, spectral norm in D, labels (if any) by projection.

    Paper: Miyato et al. 2018, table 3 and section 4: five critic steps, Adam 2e-4 (0, 0.9), batch 64; Miyato & Koyama 2018.
    Expected: not trained here: 9 G multiply-adds per image and critic step, minutes on a GPU; see sngan_small.
    """
    adam = Adam(lr=2e-4, betas=(0.0, 0.9))
    return replace(
        dcgan(),
        name="sngan",
        nets=SNGAN(),
        method=Adversarial(objective=Hinge(), critic_steps=5),
        optim={"G": adam, "D": adam},
        train=Train(samples=3_200_000, batch=64),
    )


def sngan_small() -> Recipe:
    """Images, 32 px, for CPUs: an eighth of the paper's width, one critic step, two time-scales.

    Paper: Miyato et al. 2018; Heusel et al. 2017.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 7.2, coverage 0.40; 20 minutes: 1.4, 0.62 (docs/results.md).
    """
    return replace(
        sngan(),
        name="sngan_small",
        nets=SNGAN(width=8, d_width=8),
        method=Adversarial(objective=Hinge()),
        optim={"G": Adam(lr=5e-4, betas=(0.0, 0.9)), "D": Adam(lr=1e-3, betas=(0.0, 0.9))},
        train=Train(samples=300_000, batch=32, ema_kimg=20.0),
    )


def sagan() -> Recipe:
    """Images: self-attention, spectral norm in both networks, two time-scales.

    Paper: Zhang et al. 2019, section 4: one critic step, Adam 1e-4 for G and 4e-4 for D (0, 0.9).
    Expected: not trained here: 15 G multiply-adds per image, 16 minutes at 100 TFLOP/s; see sagan_small.
    """
    return replace(
        sngan(),
        name="sagan",
        nets=SAGAN(),
        method=Adversarial(objective=Hinge()),
        optim={"G": Adam(lr=1e-4, betas=(0.0, 0.9)), "D": Adam(lr=4e-4, betas=(0.0, 0.9))},
        train=Train(samples=3_200_000, batch=64),
    )


def sagan_small() -> Recipe:
    """Images, 32 px, for CPUs: an eighth of the width, larger learning rates.

    Paper: Zhang et al. 2019.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 6.4, coverage 0.41 (docs/results.md).
    """
    small = sngan_small()
    return replace(sagan(), name="sagan_small", nets=SAGAN(width=8, d_width=8), optim=small.optim, train=small.train)


def biggan() -> Recipe:
    """Images: large batches, one class embedding, z in parts, orthogonal weights; truncation when sampling.

    Paper: Brock et al. 2019, appendix C: two critic steps, Adam 5e-5 and 2e-4 (0, 0.999), batches of 2,048 in 32 parts.
    Expected: not trained here: 15 G multiply-adds per image, 8.5 hours at 100 TFLOP/s; see biggan_small.
    """
    return replace(
        sagan(),
        name="biggan",
        nets=BigGAN(),
        method=Adversarial(objective=Hinge(), auxiliary_losses=(Orthogonal(beta=1e-4),), critic_steps=2),
        optim={"G": Adam(lr=5e-5, betas=(0.0, 0.999)), "D": Adam(lr=2e-4, betas=(0.0, 0.999))},
        train=Train(samples=100_000_000, batch=2048, accumulate=32, ema_kimg=14_000.0, ema_ramp=0.0),
    )


def biggan_small() -> Recipe:
    """Images, 32 px, for CPUs: an eighth of the width, batches of 64, one critic step.

    Paper: Brock et al. 2019.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 3.9, coverage 0.52; 20 minutes: 1.7, 0.70 (docs/results.md).
    """
    small = sngan_small()
    return replace(
        biggan(),
        name="biggan_small",
        nets=BigGAN(z_dim=64, width=8, d_width=8, shared_dim=32),
        method=Adversarial(objective=Hinge(), auxiliary_losses=(Orthogonal(beta=1e-4),)),
        optim=small.optim,
        train=small.train,
    )


def biggan_deep() -> Recipe:
    """Images: `biggan` with bottleneck blocks, four times as deep.

    Paper: Brock et al. 2019, appendix B, BigGAN-deep.
    Expected: not trained here: 2.4 G multiply-adds per image, 1.3 hours at 100 TFLOP/s; see biggan_deep_small.
    """
    return replace(biggan(), name="biggan_deep", nets=BigGANDeep())


def biggan_deep_small() -> Recipe:
    """Images, 32 px, for CPUs: a quarter of the width, and twice biggan_small's learning rates, because it makes fewer steps.

    Paper: Brock et al. 2019, appendix B, BigGAN-deep.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 10.2, coverage 0.25 (docs/results.md).
    """
    return replace(
        biggan_small(),
        name="biggan_deep_small",
        nets=BigGANDeep(z_dim=64, width=16, d_width=16, shared_dim=32),
        optim={"G": Adam(lr=1e-3, betas=(0.0, 0.9)), "D": Adam(lr=2e-3, betas=(0.0, 0.9))},
    )
