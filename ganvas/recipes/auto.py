"""The default: what to run when you only bring data."""

from ..data import Files
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..media import Image
from ..methods import Adversarial
from ..nets import Projected
from ..optim.optimisers import Adam
from ..recipe import Evaluation, Recipe, Train
from .choosing import ByBudget
from .feature_critic import build_feature_critic


def auto() -> Recipe:
    """Images: networks that learn quickly with the help of a frozen classifier, chosen for your data and your time.

    Paper: Huang et al. 2024 (R3GAN's loss), with its penalties by finite differences; Sauer et al. 2021 (a critic on features).
    Expected: docs/results.md.
    """
    adam = Adam(lr=2e-3, betas=(0.0, 0.99))
    return Recipe(
        name="auto",
        data=Files(path="fashion"),
        medium=Image(),
        nets=Projected(),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
            side_critics=(build_feature_critic(weight=0.3),),
        ),
        optim={"G": adam, "D": adam, "F": adam},
        train=Train(minutes=10.0, batch=64, ema_kimg=20.0),
        evaluation=Evaluation(),
        choose=ByBudget(),
    )
