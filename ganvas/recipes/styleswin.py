"""StyleSwin: windowed transformers as G, a D on wavelets. Zhang et al. 2022."""

from dataclasses import replace

from ..losses import R1, FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import NonSaturating, RelativisticPairing
from ..media import Image
from ..methods import Adversarial
from ..nets import StyleSwin, WithFeatureCritic
from ..optim.optimisers import Adam
from ..recipe import Recipe, Train
from .dcgan import dcgan
from .feature_critic import build_feature_critic


def styleswin() -> Recipe:
    """Images, 256 px: styles that drive attention in windows, a D on wavelets that learns four times as fast.

    Paper: Zhang et al. 2022: Adam (0, 0.99) of 5e-5 for G and 2e-4 for D, batch 32, R1 of 10; without balanced consistency.
    Expected: not trained here; it needs a GPU.
    """
    return replace(
        dcgan(),
        name="styleswin",
        medium=Image(size=256),
        nets=StyleSwin(),
        method=Adversarial(objective=NonSaturating(), penalties=(R1(gamma=10.0, every=16),)),
        optim={"G": Adam(lr=5e-5, betas=(0.0, 0.99)), "D": Adam(lr=2e-4, betas=(0.0, 0.99))},
        train=Train(samples=25_600_000, batch=32, ema_kimg=10.0),
    )


def styleswin_small() -> Recipe:
    """Images, 32 px, for CPUs: `styleswin` with narrow layers, R3GAN's loss, a critic on features.

    Paper: Zhang et al. 2022; Huang et al. 2024 (the loss); Sauer et al. 2021 (a critic on features).
    Expected: clothes, 30 minutes of one core with bf16: Fréchet 2.0, real 0.2, coverage 0.75 (docs/results.md).
    """
    adam = Adam(lr=1e-3, betas=(0.0, 0.99))
    return replace(
        styleswin(),
        name="styleswin_small",
        medium=Image(size=32),
        nets=WithFeatureCritic(
            nets=StyleSwin(z_dim=64, w_dim=64, mapping=2, width=96, base=1024, d_width=64, d_base=512),
        ),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
            side_critics=(build_feature_critic(),),
        ),
        optim={"G": adam, "D": adam, "F": Adam(lr=2e-3, betas=(0.0, 0.99))},
        train=Train(samples=300_000, batch=32, ema_kimg=10.0),
    )
