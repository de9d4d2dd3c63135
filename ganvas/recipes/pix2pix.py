"""From one picture to another, learned from pairs. Isola et al. 2017 (pix2pix)."""

from dataclasses import replace

from ..data import Columns, HeldOut, Pairs
from ..extractors import PerceptualDistance
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2, PixelLoss
from ..losses.objectives import NonSaturating, RelativisticPairing
from ..media import Image
from ..methods import Adversarial
from ..metrics.pairs import PSNR, SSIM
from ..nets import ImageToImage, PatchGAN, Residual, UNet
from ..optim.optimisers import Adam
from ..recipe import Evaluation, PairJudge, Recipe, Train

BY_TRUTH = Evaluation(pair_judges=(PairJudge(metrics=(PerceptualDistance(), PSNR(), SSIM())),))


def pix2pix() -> Recipe:
    """Pairs, 256 px: the paper's settings. Its dropout and its batch's statistics stay on when it translates.

    Paper: Isola et al. 2017: batch 1, Adam 2e-4 with beta1 0.5, 100 times L1.
    Expected: not trained here: it needs a GPU.
    """
    adam = Adam(lr=2e-4, betas=(0.5, 0.999))
    picture = Image(size=256, flip=True)
    return Recipe(
        name="pix2pix",
        data=Pairs(path="pairs"),
        medium=Columns(media={"x": picture, "source": picture}),
        nets=ImageToImage(generator=UNet(varies=True)),
        method=Adversarial(objective=NonSaturating(), auxiliary_losses=(PixelLoss(),), share_fakes=True),
        optim={"G": adam, "D": adam},
        train=Train(samples=200_000, batch=1),
        evaluation=BY_TRUTH,
        held_out=HeldOut(share=0.1),
    )


def translator() -> Recipe:
    """Pairs: the default for them, quick on a CPU. It starts from the source and learns the change.

    Paper: Isola et al. 2017 (a critic of pairs, beside L1); Huang et al. 2024 (R3GAN's loss), penalties by finite differences.
    Expected: docs/results.md.
    """
    adam = Adam(lr=1e-3, betas=(0.0, 0.99))
    picture = Image(flip=True)
    return replace(
        pix2pix(),
        name="translator",
        medium=Columns(media={"x": picture, "source": picture}),
        nets=ImageToImage(
            generator=Residual(generator=UNet(width=16, depth=4, norm="none", dropout=False)),
            critic=PatchGAN(width=32, norm="none"),
        ),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=2), FiniteDifferenceR2(gamma=2)),
            auxiliary_losses=(PixelLoss(weight=10.0),),
            share_fakes=True,
        ),
        optim={"G": adam, "D": adam},
        train=Train(minutes=20, batch=32, ema_kimg=10),
    )
