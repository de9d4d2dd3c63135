"""Pictures from sentences in one stage: DF-GAN."""

from dataclasses import replace

from ..data import Captioned, Columns
from ..losses import MatchingAwarePenalty, MismatchedCaptions
from ..losses.objectives import Hinge, WeightedObjective
from ..media import Captions, Image
from ..methods import Adversarial
from ..nets import DFGAN
from ..optim.optimisers import Adam
from ..recipe import Evaluation, Recipe, Train


def dfgan() -> Recipe:
    """Pictures from captions, 256 px: fusion blocks, hinge with wrong captions, and the matching-aware penalty.

    Paper: Tao et al. 2022, section 4.1: Adam (0, 0.9), 1e-4 for G and 4e-4 for D. The code has batch 32, 1,300 epochs of birds.
    Expected: not trained here: 69 G multiply-adds per image, 5 hours at 100 TFLOP/s, the penalty not counted.
    """
    half = WeightedObjective(objective=Hinge(), d_weight=0.5)  # with the other half, on wrong captions, eq. 1
    return Recipe(
        name="dfgan",
        data=Captioned(path="captions"),
        medium=Columns(media={"x": Image(size=256), "text": Captions()}),
        nets=DFGAN(),
        method=Adversarial(
            objective=half,
            auxiliary_losses=(MismatchedCaptions(objective=Hinge(), weight=0.5), MatchingAwarePenalty()),
        ),
        optim={"G": Adam(lr=1e-4, betas=(0.0, 0.9)), "D": Adam(lr=4e-4, betas=(0.0, 0.9))},
        train=Train(samples=11_500_000, batch=32),
        evaluation=Evaluation(),
    )


def dfgan_small() -> Recipe:
    """Pictures from captions, 64 px, for CPUs: a quarter of the paper's channels, no tanh, and a moving average of G.

    Paper: Tao et al. 2022. Unlike there, G learns as quickly as D, and its last layer is free: with a tanh it saturated at the
    white of the pictures' backgrounds, and learnt no more.
    Expected: avatars, 30 minutes of one core: R-precision .32 (real 1, chance .01), smeared faces (docs/results.md).
    """
    recipe = dfgan()
    return replace(
        recipe,
        name="dfgan_small",
        medium=Columns(media={"x": Image(size=64), "text": Captions()}),
        nets=DFGAN(width=8, bounded=False),
        optim={name: Adam(lr=4e-4, betas=(0.0, 0.9)) for name in recipe.optim},
        train=Train(minutes=30.0, batch=32, ema_kimg=10.0),
    )
