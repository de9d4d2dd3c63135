"""D sees the same in a generated picture as in the one that it should be. Wang et al. 2018b (pix2pixHD), eq. 4."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import require


@config
class PairedFeatureMatching:
    """weight·Σ|f(x) - f(G)| for each pair, where f is what D passes on as features.

    ScalesCritic passes on all its layers, each divided by its size, so that this is the paper's loss. Other critics pass on the
    inputs of their last layer.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    @property
    def trains(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        real, fake = inputs.real().output.features, inputs.fake.output.features
        return self.weight * (real.detach().float() - fake.float()).abs().sum(1)

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass
