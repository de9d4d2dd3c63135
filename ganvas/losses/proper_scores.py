"""G's words learn what they can without a game, by proper scoring rules. Gneiting & Raftery 2007; for rows as in CTGAN."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ..configuration import config
from ..core import LossInputs, Nets
from ..errors import GanvasError, require
from .generator_loss import GeneratorLoss


@config
class ProperScores(GeneratorLoss):
    """weight·(scores of G's words), for a G that makes pictures, rows and sentences together (`TogetherNets`).

    Rows learn the data's shares of values, and what a known picture or sentence says of them, by likelihood. Sentences learn
    by the energy score what a known row says. A game alone learns these slowly: few samples of a batch have a known part, and
    a draw has a gradient of the wrong shape.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def state(self, nets: Nets) -> nn.Module | None:
        if not hasattr(nets["G"], "measure_scores"):
            raise GanvasError("ProperScores needs a G that makes pictures and rows together: take the networks TogetherNets")
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        measure: Callable[[Tensor], Tensor | None] | Any = inputs.nets["G"].measure_scores
        scores = measure(inputs.batch["x"])
        return None if scores is None else self.weight * scores
