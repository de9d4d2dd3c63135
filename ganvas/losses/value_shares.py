"""G draws the values of rows as often as the data has them: a likelihood of shares, where nothing is known of a row."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import GanvasError, require


@config
class ValueShares:
    """weight·KL(shares in the data ‖ mean shares of G in a batch), a mean of categorical fields, for a G that draws rows.

    A draw has a gradient of the wrong shape (straight through), so that a game alone drifts away from the shares.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    @property
    def trains(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, nets: Nets) -> nn.Module | None:
        if not hasattr(nets["G"], "measure_shares"):
            raise GanvasError("ValueShares needs a G that makes pictures and rows together: take the networks TogetherNets")
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        measure: Callable[[int], Tensor | None] | Any = inputs.nets["G"].measure_shares
        divergence = measure(len(inputs.batch["x"]))
        return None if divergence is None else self.weight * divergence

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass
