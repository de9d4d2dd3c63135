"""R3GAN: a plain ResNeXt under the relativistic pairing loss with R1 and R2. Huang et al. 2024."""

from dataclasses import replace

from ..augment import ADA, RisingStrength
from ..losses import R1, R2, FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..media import Image
from ..methods import Adversarial
from ..nets import R3GAN
from ..optim.optimisers import Adam
from ..optim.schedules import Cosine
from ..recipe import Recipe, Train
from .dcgan import dcgan

SCHEDULE_KIMG = 20_000.0  # for every schedule


def _build_published_recipe(
    name: str, size: int, widths: tuple[int, ...], gamma: float, batch: int, p: float, ema_kimg: float
) -> Recipe:
    """A configuration of appendix D: γ falls to a tenth, the learning rate to a quarter, β2 and augmentation rise."""
    tenth = Cosine(final=0.1, kimg=SCHEDULE_KIMG)
    adam = Adam(lr=2e-4, betas=(0.0, 0.9), final_betas=(0.0, 0.99), schedule=Cosine(final=0.25, kimg=SCHEDULE_KIMG))
    return replace(
        dcgan(),
        name=name,
        medium=Image(size=size),
        nets=R3GAN(widths=widths),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(R1(gamma=gamma, schedule=tenth), R2(gamma=gamma, schedule=tenth)),
            augment=ADA(
                strength=RisingStrength(final=p, kimg=SCHEDULE_KIMG), quarter=0.0, geometry=0.0, colour=0.5, cutout=1.0
            ),
        ),
        optim={"G": adam, "D": adam},
        train=Train(samples=200_000_000, batch=batch, ema_kimg=ema_kimg, ema_ramp=ema_kimg / SCHEDULE_KIMG),
    )


def r3gan() -> Recipe:
    """Images, 32 px: residual networks without normalisation, with `auto`'s loss.

    Paper: Huang et al. 2024, appendix D, CIFAR-10: batch 512, γ 0.05 to 0.005, a moving average of up to 5 million images.
    Expected: not trained here: 91 G multiply-adds per image, 4 days at 100 TFLOP/s, penalties not counted.
    """
    return _build_published_recipe("r3gan", 32, (768, 768, 768, 768), gamma=0.05, batch=512, p=0.55, ema_kimg=5000.0)


def r3gan_ffhq64() -> Recipe:
    """Images, 64 px: `r3gan` for faces.

    Paper: Huang et al. 2024, appendix D, FFHQ-64: batch 256, γ 2 to 0.2.
    Expected: not trained here: 170 G multiply-adds per image, 8 days at 100 TFLOP/s, penalties not counted.
    """
    return _build_published_recipe("r3gan_ffhq64", 64, (768, 768, 768, 768, 384), gamma=2.0, batch=256, p=0.3, ema_kimg=500.0)


def r3gan_ffhq256() -> Recipe:
    """Images, 256 px: `r3gan` for larger faces.

    Paper: Huang et al. 2024, appendix D, FFHQ-256: batch 256, γ 150 to 15.
    Expected: not trained here: 375 G multiply-adds per image, 17 days at 100 TFLOP/s, penalties not counted.
    """
    widths = (768, 768, 768, 768, 384, 192, 96)
    return _build_published_recipe("r3gan_ffhq256", 256, widths, gamma=150.0, batch=256, p=0.3, ema_kimg=500.0)


def r3gan_small() -> Recipe:
    """Images, 32 px, for CPUs: narrow, one block per size, penalties by finite differences, no augmentation.

    Paper: Huang et al. 2024.
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 1.4, coverage 0.65 (docs/results.md).
    """
    adam = Adam(lr=1e-3, betas=(0.0, 0.99))
    return replace(
        r3gan(),
        name="r3gan_small",
        nets=R3GAN(widths=(96, 64, 32, 16), blocks=1),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
        ),
        optim={"G": adam, "D": adam},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )
