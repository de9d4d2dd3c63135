"""G alone learns to make each sample that it is shown, from losses on samples: no critic. Dong et al. 2014 (SRCNN), eq. 2."""

from functools import cache
from typing import NoReturn

import torch
from torch import nn

from ..configuration import config
from ..core import (
    NO_REQUEST,
    AuxiliaryLoss,
    Batch,
    Clock,
    CriticOutput,
    Latents,
    LossInputs,
    Nets,
    Phase,
    Request,
    ShownSamples,
    Spec,
    Stage,
    Traits,
    Turn,
)
from ..errors import GanvasError
from ..losses.pixels import PixelLoss
from .adversarial import Adversarial


@config
class Supervised:
    """Train G on pairs of conditions and samples.

    losses: auxiliary losses of G that look at samples, not at a critic: PixelLoss, PerceptualLoss.
    """

    losses: tuple[AuxiliaryLoss, ...] = (PixelLoss(weight=1.0),)

    def __post_init__(self) -> None:
        if not any("G" in loss.trains for loss in self.losses):
            raise GanvasError("losses must hold one that G learns from: take PixelLoss")

    @property
    def game(self) -> Adversarial:
        """It checks the losses, keeps their state, and draws what G starts from."""
        return Adversarial(auxiliary_losses=self.losses)

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        return self.game.state(spec, nets)

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)._replace(critics=())

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_supervised_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> torch.Tensor:
        return self.game.render(nets, latents)

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        fake_x = self.game.generate_fakes(nets, batch)
        unjudged = CriticOutput(fake_x.new_zeros(len(fake_x)), fake_x.new_zeros(len(fake_x), 0))
        shown = ShownSamples(fake_x, unjudged)
        inputs = LossInputs("G", nets, batch, clock, shown, real=raise_missing_critic, critic=raise_missing_critic)
        return Turn(self.game.collect_auxiliary_terms(inputs))


def raise_missing_critic(*_: object) -> NoReturn:
    """Raises GanvasError for a loss that asks a critic."""
    raise GanvasError("one of the losses looks at samples through D, and Supervised has none: take Adversarial for it")


@cache
def _build_supervised_stage(method: Supervised) -> Stage:
    return Stage("supervised", (Phase("G", ("G",), method.play_g, after=method.game.build_after("G")),))
