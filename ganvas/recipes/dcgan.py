"""Deep convolutional GANs. Radford, Metz & Chintala 2016."""

from dataclasses import replace

from ..data import Files
from ..media import Image
from ..methods import Adversarial
from ..metrics import KID, DensityCoverage, FashionClassifier, Frechet, PrecisionRecall
from ..nets import DCGAN
from ..objectives import NonSaturating
from ..optim import Adam
from ..recipe import Evaluation, Recipe, Train


def dcgan() -> Recipe:
    """Images, 32 px: the paper's networks without their widest layer, and its settings.

    Paper: Radford, Metz & Chintala 2016: batch 128, Adam 2e-4 with beta1 0.5, z uniform.
    Expected: Fashion-MNIST, 8 minutes on two cores are 118 steps: Fréchet 65.9; it wants a GPU (docs/results.md).
    """
    return Recipe(
        name="dcgan",
        data=Files(path="fashion"),
        medium=Image(size=32),
        nets=DCGAN(),
        method=Adversarial(objective=NonSaturating(), prior="uniform"),
        optim={"G": Adam(lr=2e-4, betas=(0.5, 0.999)), "D": Adam(lr=2e-4, betas=(0.5, 0.999))},
        train=Train(images=1_500_000, batch=128),
        evaluation=Evaluation(extractor=FashionClassifier(), metrics=(Frechet(), KID(), PrecisionRecall(), DensityCoverage())),
    )


def dcgan_small() -> Recipe:
    """Images, 32 px: half the paper's width and 4x4 kernels, as most code has it; a sixth of the work.

    Paper: Radford, Metz & Chintala 2016.
    Expected: Fashion-MNIST, 4 minutes on two cores: Fréchet 32.4, coverage 0.04, shapes without detail (docs/results.md).
    """
    return replace(dcgan(), name="dcgan_small", nets=DCGAN(width=64, kernel=4))


def dcgan64() -> Recipe:
    """Images, 64 px: the paper's own size.

    Paper: Radford, Metz & Chintala 2016, figure 1.
    Expected: not known to work: narrowed to what two cores can train, it fails (docs/results.md); it wants a GPU.
    """
    return replace(dcgan(), name="dcgan64", medium=Image(size=64))
