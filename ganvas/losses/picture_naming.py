"""G names the values of real rows from their pictures, by likelihood, as CTGAN names its condition (Xu et al. 2019)."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import GanvasError, require


@config
class PictureNaming:
    """weight·(-log P(row | picture)) of real samples, for a G that draws rows for known pictures.

    A game alone learns it slowly: few samples of a batch have a known picture, and a draw has a gradient of the wrong shape.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    @property
    def trains(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, nets: Nets) -> nn.Module | None:
        if not hasattr(nets["G"], "measure_naming"):
            raise GanvasError("PictureNaming needs a G that makes pictures and rows together: take the networks TogetherNets")
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        measure: Callable[[Tensor], Tensor | None] | Any = inputs.nets["G"].measure_naming
        naming = measure(inputs.batch["x"])
        return None if naming is None else self.weight * naming

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass
