"""D sees the same in a generated picture as in the one that it should be. Wang et al. 2018b (pix2pixHD), eq. 4."""

from torch import Tensor

from ..configuration import config
from ..core import LossInputs
from ..errors import require
from .generator_loss import GeneratorLoss


@config
class PairedFeatureMatching(GeneratorLoss):
    """weight·Σ|f(x) - f(G)| for each pair, where f is what D passes on as features.

    ScalesCritic passes on all its layers, each divided by its size, so that this is the paper's loss. Other critics pass on the
    inputs of their last layer.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def term(self, inputs: LossInputs) -> Tensor | None:
        real, fake = inputs.real().output.features, inputs.fake.output.features
        return self.weight * (real.detach().float() - fake.float()).abs().sum(1)
