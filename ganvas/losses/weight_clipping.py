"""Bound a critic's slope by clipping its weights. Arjovsky et al. 2017, algorithm 1."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import require


@config
class WeightClipping:
    """Clips every parameter of the critic to [-bound, bound] after each of its steps.

    The authors call it "a clearly terrible way to enforce a Lipschitz constraint". It is here for study: use GradientPenalty.
    """

    bound: float = 0.01

    def __post_init__(self) -> None:
        require(self.bound > 0, "bound", self.bound, "above 0")

    @property
    def trains(self) -> tuple[str, ...]:
        return ("D",)

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        return None

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        for parameter in nets[player].parameters():
            parameter.clamp_(-self.bound, self.bound)
