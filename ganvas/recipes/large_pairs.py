"""From one large picture to another, learned from pairs: critics at two scales. Wang et al. 2018b (pix2pixHD)."""

from dataclasses import replace

from ..data import Columns, HeldOut, Pairs
from ..losses import PairedFeatureMatching, PerceptualLoss, PixelLoss
from ..losses.objectives import LeastSquares
from ..media import Image
from ..methods import Adversarial
from ..nets import ImageToImage, ResNet, ScalesCritic
from ..optim import Linear
from ..optim.optimisers import Adam
from ..recipe import Recipe, Train
from .pix2pix import BY_TRUTH


def pix2pixhd() -> Recipe:
    """Pairs, 1024x512 px: the global generator, critics at two scales, and features of D that should match.

    Paper: Wang et al. 2018b: least squares, matching 10, perceptual loss 10 (VGG's there, EfficientNet's here), batch 1.
    Expected: not trained here: it needs a GPU; `pix2pixhd_small` is for CPUs.
    """
    adam = Adam(lr=2e-4, betas=(0.5, 0.999), schedule=Linear(start=0.5))
    picture = Image(size="1024x512", flip=True)
    return Recipe(
        name="pix2pixhd",
        data=Pairs(path="pairs"),
        medium=Columns(media={"x": picture, "source": picture}),
        nets=ImageToImage(generator=ResNet(halvings=4), critic=ScalesCritic()),
        method=Adversarial(
            objective=LeastSquares(),
            auxiliary_losses=(PairedFeatureMatching(weight=10.0), PerceptualLoss(weight=10.0)),
            share_fakes=True,
        ),
        optim={"G": adam, "D": adam},
        train=Train(samples=600_000, batch=1),  # 200 passes of Cityscapes' 2,975 pictures
        evaluation=BY_TRUTH,
        held_out=HeldOut(share=0.1),
    )


def pix2pixhd_small() -> Recipe:
    """Pairs, for CPUs: narrow networks with three halvings, L1 in place of the perceptual loss, batches of 8.

    Paper: Wang et al. 2018b.
    Expected: drawings to emoji, 12 minutes of half a core: 18.1 dB, KID 0.64, with noise (docs/results.md).
    """
    adam = Adam(lr=5e-4, betas=(0.5, 0.99))
    picture = Image(flip=True)
    return replace(
        pix2pixhd(),
        name="pix2pixhd_small",
        medium=Columns(media={"x": picture, "source": picture}),
        nets=ImageToImage(generator=ResNet(width=16, halvings=3, blocks=4), critic=ScalesCritic(width=24, halvings=2)),
        method=Adversarial(
            objective=LeastSquares(),
            auxiliary_losses=(PairedFeatureMatching(weight=10.0), PixelLoss(weight=10.0)),
            share_fakes=True,
        ),
        optim={"G": adam, "D": adam},
        train=Train(minutes=20, batch=8, ema_kimg=5),
    )
