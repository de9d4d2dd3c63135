"""A critic of bounded slope by brute force. Arjovsky et al. 2017, algorithm 1."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import refuse


@config
class WeightClipping:
    """Every parameter of the critic into [-bound, bound] after each of its steps.

    The authors: "a clearly terrible way to enforce a Lipschitz constraint". Kept for reading; GradientPenalty is for use.
    """

    bound: float = 0.01

    def __post_init__(self) -> None:
        refuse(not self.bound > 0, "method.extras.0.bound", self.bound, "above 0", "--method.extras.0.bound 0.01")

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
