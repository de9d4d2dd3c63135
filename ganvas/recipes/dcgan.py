"""Deep convolutional GANs. Radford, Metz & Chintala 2016."""

from dataclasses import replace

from ..data import Files
from ..extractors import FashionClassifier
from ..losses.objectives import NonSaturating
from ..media import Image
from ..methods import Adversarial
from ..metrics import KID, Copying, DensityCoverage, Frechet, PrecisionRecall
from ..nets import DCGAN
from ..optim.optimisers import Adam
from ..recipe import Evaluation, Recipe, Train


def dcgan() -> Recipe:
    """Images, 32 px: the paper's settings, and its networks without their widest layer.

    Paper: Radford, Metz & Chintala 2016: batch 128, Adam 2e-4 with beta1 0.5, z uniform.
    Expected: Fashion-MNIST, 8 minutes (118 steps) on two cores: Fréchet 65.9; it needs a GPU (docs/results.md).
    """
    return Recipe(
        name="dcgan",
        data=Files(path="fashion"),
        medium=Image(size=32),
        nets=DCGAN(),
        method=Adversarial(objective=NonSaturating(), prior="uniform"),
        optim={"G": Adam(lr=2e-4, betas=(0.5, 0.999)), "D": Adam(lr=2e-4, betas=(0.5, 0.999))},
        train=Train(samples=1_500_000, batch=128),
        evaluation=Evaluation(
            extractor=FashionClassifier(), metrics=(Frechet(), KID(), PrecisionRecall(), DensityCoverage(), Copying())
        ),
    )


def dcgan_small() -> Recipe:
    """Images, 32 px, for CPUs: narrow, 4x4 kernels, batches of 32, five times the learning rate, a moving average.

    Paper: Radford, Metz & Chintala 2016; its steps are many and large, to get far in minutes.
    Expected: Fashion-MNIST, 5 minutes on two cores: Fréchet 6.9, coverage 0.51 (docs/results.md).
    """
    adam = Adam(lr=1e-3, betas=(0.5, 0.999))
    return replace(
        dcgan(),
        name="dcgan_small",
        nets=DCGAN(width=24, kernel=4),
        optim={"G": adam, "D": adam},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )


def dcgan64() -> Recipe:
    """Images, 64 px: `dcgan` at the paper's own size.

    Paper: Radford, Metz & Chintala 2016, figure 1.
    Expected: not trained here: some 20 s per step on two cores; it needs a GPU (docs/results.md).
    """
    return replace(dcgan(), name="dcgan64", medium=Image(size=64))


def dcgan64_small() -> Recipe:
    """Images, 64 px, for CPUs: narrow, 4x4 kernels, small batches, a slower D (at G's rate it wins within 300 steps).

    Paper: Radford, Metz & Chintala 2016; two rates, Heusel et al. 2017.
    Expected: Fashion-MNIST, 9 minutes on two cores: Fréchet 19.9, coverage 0.14, shapes with little detail (docs/results.md).
    """
    recipe = replace(dcgan64(), name="dcgan64_small", nets=DCGAN(width=48, kernel=4))
    slower = Adam(lr=5e-5, betas=(0.5, 0.999))
    return replace(recipe, optim={**recipe.optim, "D": slower}, train=replace(recipe.train, samples=300_000, batch=32))
