"""GAT: transformers as G and D, which see an image in several levels under noise. Hyun et al. 2025."""

from dataclasses import replace

from ..augment import DiffAugment
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..media import Image
from ..methods import Adversarial, LevelGuidance
from ..nets import GAT, WithFeatureCritic
from ..optim.optimisers import Adam
from ..recipe import Recipe, Train
from .dcgan import dcgan
from .feature_critic import build_feature_critic


def gat() -> Recipe:
    """Images, 64 px: transformers of the published size B, on pixels.

    Paper: Hyun et al. 2025: learning rate 2e-4 at width 768, penalties of 0.1. Theirs cuts patches of 2 from an autoencoder's
    codes of 32 x 32; this one cuts as many patches, of 4, from 64 px.
    Expected: not trained here; it needs a GPU.
    """
    adam = Adam(lr=2e-4, betas=(0.0, 0.99))
    game = Adversarial(
        objective=RelativisticPairing(),
        penalties=(FiniteDifferenceR1(gamma=0.1), FiniteDifferenceR2(gamma=0.1)),
        augment=DiffAugment(colour=False, cut=0.0),
    )
    return replace(
        dcgan(),
        name="gat",
        medium=Image(size=64),
        nets=GAT(),
        method=LevelGuidance(game=game),
        optim={"G": adam, "D": adam},
        train=Train(samples=77_000_000, batch=512, ema_kimg=500.0),
    )


def gat_small() -> Recipe:
    """Images, 32 px, for CPUs: `gat` with narrow transformers, 256 tokens in G and 64 in D, and a critic on features.

    Paper: Hyun et al. 2025; the learning rate is theirs for D's width. Peebles & Xie 2023 (styles that shift), because with
    GAT's own blocks a small G makes one image of each class. Sauer et al. 2021 (a critic on features).
    Expected: clothes, 30 minutes of one core with bf16: Fréchet 14, real 0.2, with a pattern of 2 px (docs/results.md).
    """
    adam = Adam(lr=1.2e-3, betas=(0.0, 0.99))
    recipe = gat()
    assert isinstance(recipe.method, LevelGuidance)
    return replace(
        recipe,
        name="gat_small",
        medium=Image(size=32),
        nets=WithFeatureCritic(nets=GAT(width=64, depth=6, heads=1, patch=2, shifts=True, d_width=128, d_depth=4, d_patch=4)),
        method=replace(recipe.method, game=replace(recipe.method.game, side_critics=(build_feature_critic(),))),
        optim={"G": adam, "D": adam, "F": Adam(lr=2e-3, betas=(0.0, 0.99))},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )
