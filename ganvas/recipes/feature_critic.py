"""F, a critic on a frozen classifier's features. Networks learn much quicker with it, and processors need that."""

from ..core import AuxiliaryLoss
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..methods import FeaturePyramid, SideCritic


def build_feature_critic(
    weight: float = 1.0, gamma: float = 3.0, auxiliary_losses: tuple[AuxiliaryLoss, ...] = ()
) -> SideCritic:
    """For networks with an F, such as those of `WithFeatureCritic`. Sauer et al. 2021 (Projected GANs).

    Args:
        weight: of its loss in G's loss.
        gamma: of its penalties by finite differences. Their noise is wider than on pixels.
        auxiliary_losses: more terms of its own loss.
    """
    penalties = FiniteDifferenceR1(gamma=gamma, sigma=0.3), FiniteDifferenceR2(gamma=gamma, sigma=0.3)
    return SideCritic(network="F", view=FeaturePyramid(), penalties=penalties, auxiliary_losses=auxiliary_losses, weight=weight)
