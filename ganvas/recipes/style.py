"""StyleGAN2, with and without adaptive augmentation, and StyleGAN3."""

from dataclasses import replace

from ..augment import ADA
from ..losses import R1, PathLength
from ..losses.objectives import NonSaturating
from ..media import Image
from ..methods import Adversarial
from ..nets import StyleGAN2, StyleGAN3
from ..optim.optimisers import Adam, make_lazy_adam
from ..recipe import Recipe, Train
from .dcgan import dcgan


def stylegan2() -> Recipe:
    """Images, 256 px: styles that scale weights, a residual D, lazy penalties on both.

    Paper: Karras et al. 2020a; settings for 256 px from Karras et al. 2020b: batch 64, R1 of 1, learning rates of 2.5e-3.
    Expected: not trained here: 185 G multiply-adds per image, 26 hours at 100 TFLOP/s, penalties not counted.
    """
    return replace(
        dcgan(),
        name="stylegan2",
        medium=Image(size=256),
        nets=StyleGAN2(group=8),
        method=Adversarial(objective=NonSaturating(), penalties=(R1(gamma=1.0, every=16),), path_length=PathLength()),
        optim={"G": make_lazy_adam(2.5e-3, 4), "D": make_lazy_adam(2.5e-3, 16)},
        train=Train(samples=25_000_000, batch=64, ema_kimg=20.0, ema_ramp=0.0),
    )


def stylegan2_ada() -> Recipe:
    """Images, 256 px, few of them: `stylegan2` with augmentation that follows D's overfitting.

    Paper: Karras et al. 2020b.
    Expected: not trained here: 185 G multiply-adds per image, 26 hours at 100 TFLOP/s, penalties not counted.
    """
    method = Adversarial(
        objective=NonSaturating(), penalties=(R1(gamma=1.0, every=16),), path_length=PathLength(), augment=ADA()
    )
    return replace(stylegan2(), name="stylegan2_ada", method=method)


def stylegan2_cifar() -> Recipe:
    """Images, 32 px: `stylegan2` without path lengths or mixing, a short mapping, adaptive augmentation; D stays residual.

    Paper: Karras et al. 2020b, configuration for CIFAR-10: R1 of 0.01, moving average of 500,000 images, 100 million in all.
    Expected: not trained here: 49 G multiply-adds per image, 27 hours at 100 TFLOP/s, penalties not counted.
    """
    method = Adversarial(objective=NonSaturating(), penalties=(R1(gamma=0.01, every=16),), augment=ADA())
    adam = Adam(lr=2.5e-3, betas=(0.0, 0.99))
    return replace(
        stylegan2(),
        name="stylegan2_cifar",
        medium=Image(size=32),
        nets=StyleGAN2(mapping=2, mixing=0.0, group=32),
        method=method,
        optim={"G": adam, "D": make_lazy_adam(2.5e-3, 16)},
        train=Train(samples=100_000_000, batch=64, ema_kimg=500.0),
    )


def stylegan2_small() -> Recipe:
    """Images, 32 px, for CPUs: narrow, no mixing, twice the learning rates, a strong R1 for small data sets.

    Paper: Karras et al. 2020a.
    Expected: Fashion-MNIST, two cores with bf16: Fréchet 1.6, coverage 0.69 in 5 minutes; 0.45, 0.86 in 20 (docs/results.md).
    """
    method = Adversarial(objective=NonSaturating(), penalties=(R1(gamma=5.0, every=16),), path_length=PathLength())
    return replace(
        stylegan2(),
        name="stylegan2_small",
        medium=Image(size=32),
        nets=StyleGAN2(z_dim=64, w_dim=64, mapping=2, width=64, base=512, mixing=0.0),
        method=method,
        optim={"G": make_lazy_adam(5e-3, 4), "D": make_lazy_adam(5e-3, 16)},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )


def stylegan3_t() -> Recipe:
    """Images, 256 px: layers without aliasing, equivariant to translation: textures move with the objects.

    Paper: Karras et al. 2021, configuration T; R1 of 2, batch 32, D at 2e-3.
    Expected: not trained here: 613 G multiply-adds per image, 4 days at 100 TFLOP/s, penalties not counted.
    """
    return replace(
        stylegan2(),
        name="stylegan3_t",
        nets=StyleGAN3(base=16384),
        method=Adversarial(objective=NonSaturating(), penalties=(R1(gamma=2.0, every=16),)),
        optim={"G": Adam(lr=2.5e-3, betas=(0.0, 0.99)), "D": make_lazy_adam(2e-3, 16)},
        train=Train(samples=25_000_000, batch=32, ema_kimg=10.0),
    )


def stylegan3_r() -> Recipe:
    """Images, 256 px: `stylegan3_t`, equivariant to rotation, too.

    Paper: Karras et al. 2021, configuration R, without its blurring of D's first images.
    Expected: not trained here: 439 G multiply-adds per image, 2.5 days at 100 TFLOP/s, penalties not counted.
    """
    return replace(stylegan3_t(), name="stylegan3_r", nets=StyleGAN3(base=16384, rotation=True))


def stylegan3_small() -> Recipe:
    """Images, 32 px, for CPUs: configuration T, narrow, eight layers.

    Paper: Karras et al. 2021.
    Expected: Fashion-MNIST, 5 minutes on two cores with bf16: Fréchet 19.2, coverage 0.07, from 600 steps (docs/results.md).
    It needs more than 20 minutes there: sprites stood at 42, and at 16 with γ 5 in the place of 0.1 (docs/log.md).
    """
    return replace(
        stylegan3_t(),
        name="stylegan3_small",
        medium=Image(size=32),
        nets=StyleGAN3(z_dim=64, w_dim=64, layers=8, width=32, base=512, d_width=64, d_base=512),
        method=Adversarial(objective=NonSaturating(), penalties=(R1(gamma=0.1, every=16),)),
        optim={"G": Adam(lr=5e-3, betas=(0.0, 0.99)), "D": make_lazy_adam(4e-3, 16)},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )
