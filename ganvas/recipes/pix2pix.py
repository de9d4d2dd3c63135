"""From one picture to another, learned from pairs. Isola et al. 2017 (pix2pix)."""

from dataclasses import replace

from ..data import Columns, HeldOut, Pairs
from ..extractors import PerceptualDistance
from ..losses import PixelLoss
from ..losses.objectives import LeastSquares, NonSaturating
from ..media import Image
from ..methods import Adversarial
from ..metrics.pairs import PSNR, SSIM
from ..nets import ImageToImage, PatchGAN, PretrainedUNet, Residual, UNet, WithFeatureCritic
from ..optim import Cosine
from ..optim.optimisers import Adam
from ..recipe import Evaluation, PairJudge, Recipe, Train
from .feature_critic import build_feature_critic

BY_TRUTH = Evaluation(pair_judges=(PairJudge(metrics=(PerceptualDistance(), PSNR(), SSIM())),))


def pix2pix() -> Recipe:
    """Pairs, 256 px: the paper's settings. Its dropout and its batch's statistics stay on when it translates.

    Paper: Isola et al. 2017: batch 1, Adam 2e-4 with beta1 0.5, 100 times L1.
    Expected: not trained here: it needs a GPU.
    """
    adam = Adam(lr=2e-4, betas=(0.5, 0.999))
    picture = Image(size=256, flip=True, enlarge=286 / 256)
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
    """Pairs: the default for them, quick on a CPU. It starts from the source, sees through a classifier, and learns the change.

    Paper: Isola et al. 2017 (a critic of pairs, beside L1); Sauer et al. 2021 (a critic on features).
    Expected: drawings to colour, 64 px, 45 minutes of one core: 21.3 dB, the drawing itself 17.4 (docs/results.md).
    """
    adam = Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine(start=0.5))
    picture = Image(flip=True)
    networks = ImageToImage(generator=Residual(generator=PretrainedUNet()), critic=PatchGAN(width=32))
    return replace(
        pix2pix(),
        name="translator",
        medium=Columns(media={"x": picture, "source": picture}),
        nets=WithFeatureCritic(nets=networks, width=64),
        method=Adversarial(
            objective=LeastSquares(),
            auxiliary_losses=(PixelLoss(weight=10.0),),
            side_critics=(build_feature_critic(),),
            share_fakes=True,
        ),
        optim={"G": adam, "D": replace(adam, lr=5e-4), "F": adam},
        train=Train(minutes=30, batch=32, ema_kimg=10),
    )
