"""G learns from samples alone before it meets D. Ledig et al. 2017 (SRGAN), section 3.2; Wang et al. 2018 (ESRGAN), 4.1.

A critic of pairs beats a G that starts from nothing: within 200 steps on coloured drawings, measured.
"""

from functools import cache

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Clock, Latents, Nets, Request, Spec, Stage, Traits
from ..errors import require
from .adversarial import Adversarial
from .supervised import Supervised


@config
class PixelsFirst:
    """Two stages: G alone, then the game, for which G's optimiser starts afresh.

    share: of the run for the first stage, in (0, 1).
    start: what G learns from in the first stage.
    """

    share: float = 0.3
    start: Supervised = Supervised()
    game: Adversarial = Adversarial(share_fakes=True)

    def __post_init__(self) -> None:
        require(0 < self.share < 1, "share", self.share, "above 0 and below 1")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return self.game.averaged_networks

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        return nn.ModuleDict({**self.start.state(spec, nets), **self.game.state(spec, nets)})

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        if clock.samples < self.share * clock.total:
            return self.start.stage(nets, clock)
        return _restart_optimiser_of_g(self.game.stage(nets, clock))

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)


@cache
def _restart_optimiser_of_g(stage: Stage) -> Stage:
    return stage._replace(optimisers_to_reset=("G",))
