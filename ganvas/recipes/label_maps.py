"""From maps of labels to pictures: each pixel of a source says what is there. Park et al. 2019 (SPADE, GauGAN)."""

from dataclasses import replace

from ..data import Columns, HeldOut, Pairs
from ..losses import PairedFeatureMatching, PerceptualLoss, PixelLoss
from ..losses.objectives import Hinge
from ..media import Image, LabelMap
from ..methods import Adversarial
from ..nets import SPADE, ImageToImage, ScalesCritic, WithSpectralNorm
from ..optim import Linear
from ..optim.optimisers import Adam
from ..recipe import Recipe, Train
from .pix2pix import BY_TRUTH


def spade() -> Recipe:
    """Maps of labels and their pictures, 256 px: the map scales and shifts features at every size.

    Paper: Park et al. 2019: hinge, feature matching 10, perceptual loss 10 (VGG's there, EfficientNet's here), 200 passes.
    Expected: not trained here: it needs a GPU; `spade_small` is for CPUs.
    """
    schedule = Linear(start=0.5)
    return Recipe(
        name="spade",
        data=Pairs(path="labels"),
        medium=Columns(
            media={
                "x": Image(size=256, flip=True, enlarge=286 / 256),
                "source": LabelMap(size=256, flip=True, enlarge=286 / 256),
            }
        ),
        nets=WithSpectralNorm(nets=ImageToImage(generator=SPADE(), critic=ScalesCritic())),
        method=Adversarial(
            objective=Hinge(),
            auxiliary_losses=(PairedFeatureMatching(weight=10.0), PerceptualLoss(weight=10.0)),
            share_fakes=True,
        ),
        optim={
            "G": Adam(lr=1e-4, betas=(0.0, 0.999), schedule=schedule),
            "D": Adam(lr=4e-4, betas=(0.0, 0.999), schedule=schedule),
        },
        train=Train(samples=4_000_000, batch=32),
        evaluation=BY_TRUTH,
        held_out=HeldOut(share=0.1),
    )


def spade_small() -> Recipe:
    """Maps of labels and their pictures, for CPUs, 64 px: narrow networks, L1 in place of the perceptual loss.

    Paper: Park et al. 2019.
    Expected: labels to satellite, 64 px, 12 minutes of one core: 19.4 dB, LPIPS-like 0.249, nearest 0.315 (docs/results.md).
    """
    return replace(
        spade(),
        name="spade_small",
        medium=Columns(media={"x": Image(size=64, flip=True), "source": LabelMap(size=64, flip=True)}),
        nets=ImageToImage(generator=SPADE(width=16, levels=4, hidden=16), critic=ScalesCritic(width=24, halvings=2)),
        method=Adversarial(
            objective=Hinge(),
            auxiliary_losses=(PairedFeatureMatching(weight=10.0), PixelLoss(weight=10.0)),
            share_fakes=True,
        ),
        optim={"G": Adam(lr=1e-3, betas=(0.0, 0.99)), "D": Adam(lr=1e-3, betas=(0.0, 0.99))},
        train=Train(minutes=20, batch=16, ema_kimg=5),
    )
