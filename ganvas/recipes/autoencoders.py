"""Baselines that show whether a GAN was worth it: VAE, autoencoder, and the hybrid of VAE and GAN."""

from dataclasses import replace

from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..media import Image
from ..methods import VAEGAN, Autoencoding
from ..nets import Compact, WithEncoder
from ..optim.optimisers import Adam
from ..recipe import Recipe, Train
from .dcgan import dcgan


def vae() -> Recipe:
    """Images, 32 px: a variational autoencoder with `auto`'s G and the best noise for each batch; no adversary, no collapse.

    Paper: Kingma & Welling 2014; Rybkin et al. 2021 (the noise).
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 11.1, coverage 0.29, 24.3 dB, blurred (docs/results.md).
    """
    adam = Adam(lr=1e-3, betas=(0.9, 0.999))
    return replace(
        dcgan(),
        name="vae",
        medium=Image(size=32),
        nets=WithEncoder(nets=Compact(g_width=24)),
        method=Autoencoding(),
        optim={"E": adam, "G": adam},
        train=Train(samples=500_000, batch=64, ema_kimg=10.0),
    )


def beta_vae() -> Recipe:
    """Images, 32 px: `vae` with four times the weight on the prior: simpler codes, blurrier pictures, better samples.

    Paper: Higgins et al. 2017: β 4.
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 4.9, coverage 0.60, 23.5 dB.
    """
    return replace(vae(), name="beta_vae", method=Autoencoding(beta=4.0))


def autoencoder() -> Recipe:
    """Images, 32 px: codes without noise or prior; samples come from a normal distribution fitted to the data's codes.

    Paper: Ghosh et al. 2020, section 4 (sampling a deterministic autoencoder).
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 15.8, coverage 0.21, 24.4 dB.
    """
    return replace(vae(), name="autoencoder", method=Autoencoding(beta=0.0))


def vae_gan() -> Recipe:
    """Images, 32 px: a VAE that measures errors by a discriminator's features, with `auto`'s loss and penalties.

    Paper: Larsen et al. 2016, algorithm 1.
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 2.9, coverage 0.71, 18.5 dB, speckled.
    """
    method = VAEGAN(objective=RelativisticPairing(), penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)))
    adam = Adam(lr=1e-3, betas=(0.0, 0.99))
    return replace(
        vae(),
        name="vae_gan",
        nets=WithEncoder(nets=Compact(g_width=24, d_width=12), has_discriminator=True),
        method=method,
        optim={"E": adam, "G": adam, "D": adam},
    )
