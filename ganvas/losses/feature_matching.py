"""G matches D's mean features instead of fooling its logit. Salimans et al. 2016, section 3.1."""

from torch import Tensor

from ..configuration import config
from ..core import LossInputs
from ..errors import require
from .generator_loss import GeneratorLoss


@config
class FeatureMatching(GeneratorLoss):
    """weight·‖E f(x) - E f(G(z))‖² in G's loss; f is the input of D's last layer. In the paper it replaces G's objective."""

    weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def term(self, inputs: LossInputs) -> Tensor | None:
        real, fake = inputs.real().output.features, inputs.fake.output.features
        return self.weight * (real.detach().float().mean(0) - fake.float().mean(0)).square().sum()
