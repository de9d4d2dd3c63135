"""One translator for many kinds of pictures, told which kind to make: expression, hair, season. Choi et al. 2018 (StarGAN)."""

from dataclasses import replace

from ..data import Files
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..media import Degraded, Image, Unchanged
from ..methods import ManyDomains
from ..metrics.baselines import Identity
from ..nets import StarGAN
from ..optim import Linear
from ..optim.optimisers import Adam
from ..recipe import Evaluation, LabelJudge, Recipe, Train

BY_LABEL = Evaluation(label_judge=LabelJudge(), baselines=(Identity(),))


def stargan() -> Recipe:
    """Pictures with classes or attributes, 128 px: one generator changes a picture to any of them.

    Paper: Choi et al. 2018: WGAN-GP, 5 steps of D per step of G, reconstruction 10, batch 16, 20 passes of CelebA. The
    penalty is that of the mean of D's patches; the authors' code takes their sum.
    Expected: not trained here: it needs a GPU; `stargan_small` is for CPUs.
    """
    adam = Adam(lr=1e-4, betas=(0.5, 0.999), schedule=Linear(start=0.5))
    return Recipe(
        name="stargan",
        data=Files(path="faces"),
        medium=Degraded(medium=Image(size=128, flip=True), by=(Unchanged(),)),
        nets=StarGAN(),
        method=ManyDomains(),
        optim={"G": adam, "D": adam},
        train=Train(samples=800_000, batch=16),
        evaluation=BY_LABEL,
    )


def stargan_small() -> Recipe:
    """Pictures with classes or attributes, for CPUs, 64 px: narrow networks, one step of each player on the same fakes.

    Paper: Choi et al. 2018; Huang et al. 2024 (R3GAN's loss), penalties by finite differences.
    Expected: avatars with six attributes, 35 minutes of one core: the one asked for is found in all, others kept in all.
    """
    adam = Adam(lr=5e-4, betas=(0.5, 0.99), schedule=Linear(start=0.5))
    return replace(
        stargan(),
        name="stargan_small",
        medium=Degraded(medium=Image(size=64, flip=True), by=(Unchanged(),)),
        nets=StarGAN(width=16, blocks=3, d_width=32, d_levels=4),
        method=ManyDomains(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=2), FiniteDifferenceR2(gamma=2)),
            critic_steps=1,
            share_fakes=True,
        ),
        optim={"G": adam, "D": adam},
        train=Train(minutes=30, batch=16, ema_kimg=5),
    )
