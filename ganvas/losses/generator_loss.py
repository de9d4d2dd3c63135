"""What auxiliary losses of G alone have in common: no state, and nothing to do after a step."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..core import Clock, Nets


class GeneratorLoss:
    """The part of core.AuxiliaryLoss besides `term`, for losses that only add a term in G's turn."""

    @property
    def trains(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass
