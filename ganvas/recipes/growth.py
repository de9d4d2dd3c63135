"""Networks that grow while they learn: Progressive GAN, then StyleGAN."""

from dataclasses import replace

from ..losses import R1, Drift, GradientPenalty
from ..losses.objectives import NonSaturating, Wasserstein
from ..media import Image
from ..methods import Adversarial, Progressive
from ..nets import ProGAN, StyleGAN
from ..optim.optimisers import Adam, make_lazy_adam
from ..recipe import Recipe, Train
from .dcgan import dcgan

BATCH_SIZES = (128, 128, 128, 64, 32, 16, 8, 4)  # from 4 px up; 4 from 512 px on


def progan() -> Recipe:
    """Images, 256 px: grown from 4 px up, one size at a time; Wasserstein loss with a gradient penalty.

    Paper: Karras et al. 2018, appendix A: 600,000 images to fade a size in and as many to train it, Adam 1e-3 (0, 0.99).
    Expected: not trained here: 338 G multiply-adds per image, 1 day at most at 100 TFLOP/s, penalties not counted.
    """
    adam = Adam(lr=1e-3, betas=(0.0, 0.99))
    game = Adversarial(objective=Wasserstein(), penalties=(GradientPenalty(gamma=10.0), Drift(weight=1e-3)))
    return replace(
        dcgan(),
        name="progan",
        medium=Image(size=256),
        nets=ProGAN(),
        method=Progressive(game=game, kimg=600.0, batches=BATCH_SIZES),
        optim={"G": adam, "D": adam},
        train=Train(samples=12_000_000, batch=8, ema_kimg=10.0),
    )


def progan_small() -> Recipe:
    """Images, 32 px, for CPUs: narrow, three times the learning rates, grown within half of the run.

    Paper: Karras et al. 2018.
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 5.5, coverage 0.50 (docs/results.md).
    """
    recipe, adam = progan(), Adam(lr=3e-3, betas=(0.0, 0.99))
    assert isinstance(recipe.method, Progressive)
    return replace(
        recipe,
        name="progan_small",
        medium=Image(size=32),
        nets=ProGAN(z_dim=64, width=64, base=512),
        method=replace(recipe.method, kimg=0.0, share=0.5, batches=()),
        optim={"G": adam, "D": adam},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )


def stylegan() -> Recipe:
    """Images, 256 px: grown like Progressive GAN, from a constant that styles and noise shape.

    Paper: Karras et al. 2019, configuration F: non-saturating, R1 of 10, Adam 1e-3 (0, 0.99), 25 million images.
    Expected: not trained here: 338 G multiply-adds per image, 2 days at most at 100 TFLOP/s, penalties not counted.
    """
    game = Adversarial(objective=NonSaturating(), penalties=(R1(gamma=10.0),))
    return replace(
        progan(),
        name="stylegan",
        nets=StyleGAN(),
        method=Progressive(game=game, kimg=600.0, batches=BATCH_SIZES),
        train=Train(samples=25_000_000, batch=8, ema_kimg=10.0),
    )


def stylegan_small() -> Recipe:
    """Images, 32 px, for CPUs: narrow, a lazy penalty in proportion to the pixels, grown within half of the run.

    Paper: Karras et al. 2019.
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 5.8, coverage 0.39 (docs/results.md).
    """
    adam = Adam(lr=5e-3, betas=(0.0, 0.99))
    game = Adversarial(objective=NonSaturating(), penalties=(R1(gamma=0.2, every=8),))
    return replace(
        stylegan(),
        name="stylegan_small",
        medium=Image(size=32),
        nets=StyleGAN(z_dim=64, w_dim=64, mapping=4, width=64, base=512),
        method=Progressive(game=game, share=0.5),
        optim={"G": adam, "D": make_lazy_adam(5e-3, 8)},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )
