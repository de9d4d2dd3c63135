"""G after what D sees, not after what D says. Salimans et al. 2016, section 3.1."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import refuse


@config
class FeatureMatching:
    """weight·‖E f(x) - E f(G(z))‖² in G's loss, f what D's last layer sees. In the paper it stands in the objective's place."""

    weight: float = 1.0

    def __post_init__(self) -> None:
        refuse(not self.weight >= 0, "method.extras.0.weight", self.weight, "0 or more", "--method.extras.0.weight 1.0")

    @property
    def trains(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        real, fake = inputs.real().output.features, inputs.fake.output.features
        return self.weight * (real.detach().float().mean(0) - fake.float().mean(0)).square().sum()

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass
