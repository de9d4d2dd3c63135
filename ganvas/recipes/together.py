"""Several things at once."""

from ..data import DescribedPictures
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2, ProperScores
from ..losses.objectives import RelativisticPairing
from ..media import Together
from ..methods import Adversarial, PartPyramid, SideCritic
from ..nets import TogetherNets
from ..optim.optimisers import Adam
from ..recipe import Evaluation, Recipe, Train
from .choosing import ByParts


def together() -> Recipe:
    """Pictures and what describes them, made from one latent: class, attributes. Given some, the others follow.

    Words are drawn first, then a picture that fits them. One critic judges the words, two the picture and its fit to them.
    Words also learn by proper scores: the data's shares of values, and what known parts say of the others.

    Paper: Huang et al. 2024 (R3GAN's loss); Sauer et al. 2021 (a critic on features); Miyato & Koyama 2018 (projection).
    Expected: docs/results.md.
    """
    adam = Adam(lr=2e-3, betas=(0.0, 0.99))
    on_features = FiniteDifferenceR1(gamma=3.0, sigma=0.3), FiniteDifferenceR2(gamma=3.0, sigma=0.3)
    on_words = FiniteDifferenceR1(gamma=3.0), FiniteDifferenceR2(gamma=3.0)
    return Recipe(
        name="together",
        data=DescribedPictures(path="fashion"),
        medium=Together(),
        nets=TogetherNets(),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
            auxiliary_losses=(ProperScores(),),
            side_critics=(
                SideCritic(network="D_features", view=PartPyramid(), penalties=on_features),
                SideCritic(network="D_words", penalties=on_words, weight=0.3),
            ),
        ),
        optim={"G": adam, "D": adam, "D_features": adam, "D_words": adam},
        train=Train(minutes=10.0, batch=64, ema_kimg=20.0),
        evaluation=Evaluation(),
        choose=ByParts(),
    )
