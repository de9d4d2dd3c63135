"""Residual networks under the hinge loss and spectral norm: SNGAN, SAGAN, BigGAN."""

from dataclasses import replace

from ..losses import Orthogonal
from ..losses.objectives import Hinge
from ..methods import Adversarial
from ..nets import SAGAN, SNGAN, BigGAN, BigGANDeep
from ..optim.optimisers import Adam
from ..recipe import Recipe, Train
from .dcgan import dcgan


def sngan() -> Recipe:
    """Images, 32 px: residual networks, D spectrally normalised; labels by projection where there are any.

    Paper: Miyato et al. 2018, table 3 and section 4: five critic steps, Adam 2e-4 (0, 0.9), batch 64; Miyato & Koyama 2018.
    Expected: not trained here: 9 G multiply-adds an image and critic step, minutes on a GPU; sngan_small shows it.
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
    """Images, 32 px: an eighth of the paper's width, one critic step, two time-scales: for a processor.

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
    """Images: self-attention, both networks spectrally normalised, two time-scales.

    Paper: Zhang et al. 2019, section 4: one critic step, Adam 1e-4 for G and 4e-4 for D (0, 0.9).
    Expected: not trained here: 15 G multiply-adds an image, 16 minutes at 100 TFLOP/s; sagan_small shows it.
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
    """Images, 32 px: an eighth of the width, larger rates: for a processor.

    Paper: Zhang et al. 2019.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 6.4, coverage 0.41 (docs/results.md).
    """
    small = sngan_small()
    return replace(sagan(), name="sagan_small", nets=SAGAN(width=8, d_width=8), optim=small.optim, train=small.train)


def biggan() -> Recipe:
    """Images: large batches, one class embedding, z in parts, orthogonal weights; truncation when sampling.

    Paper: Brock et al. 2019, appendix C: two critic steps, Adam 5e-5 and 2e-4 (0, 0.999), batches of 2,048 (in 32 parts).
    Expected: not trained here: 15 G multiply-adds an image, 8.5 hours at 100 TFLOP/s; biggan_small shows it.
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
    """Images, 32 px: an eighth of the width, batches of 64, one critic step: for a processor.

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
    """Images: bottleneck blocks, four times as deep.

    Paper: Brock et al. 2019, appendix B, BigGAN-deep.
    Expected: not trained here: 2.4 G multiply-adds an image, 1.3 hours at 100 TFLOP/s; biggan_deep_small shows it.
    """
    return replace(biggan(), name="biggan_deep", nets=BigGANDeep())


def biggan_deep_small() -> Recipe:
    """Images, 32 px: a quarter of the width, twice biggan_small's rates, since it makes fewer steps: for a processor.

    Paper: Brock et al. 2019, appendix B, BigGAN-deep.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 10.2, coverage 0.25 (docs/results.md).
    """
    return replace(
        biggan_small(),
        name="biggan_deep_small",
        nets=BigGANDeep(z_dim=64, width=16, d_width=16, shared_dim=32),
        optim={"G": Adam(lr=1e-3, betas=(0.0, 0.9)), "D": Adam(lr=2e-3, betas=(0.0, 0.9))},
    )
