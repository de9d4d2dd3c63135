"""A game on all levels of G's output, under noise: multi-level guidance. Hyun et al. 2025 (GAT), section 3.

G shows the images that it makes on its way, and D sees them side by side as channels. A real image is the same at all levels.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError
from .adversarial import Adversarial
from .critics import View
from .level_noise import LevelNoise

Loss = Callable[[Nets, Batch, Clock], Turn]


@config
class LastLevel:
    """The finished image of all levels, for a further critic: x [N, levels·C, H, W] -> [N, C, H, W], then in its `view`."""

    levels: int = 4
    view: View | None = None

    def __call__(self, x: Tensor) -> Tensor:
        image = x[:, -(x.shape[1] // self.levels) :]
        return image if self.view is None else self.view(image)


@config
class LevelGuidance:
    """A game on networks whose G makes several levels of an image (GAT), each under noise. Samples are the last level.

    game: its augmentation comes before the noise. Further critics see the last level.
    base, floor: of the noise (LevelNoise).
    """

    game: Adversarial = Adversarial()
    base: float = 0.125
    floor: float = 0.01

    def __post_init__(self) -> None:
        LevelNoise(base=self.base, floor=self.floor, augment=self.game.augment)  # which checks them

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return self.game.averaged_networks

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not hasattr(nets["G"], "levels_of_output"):
            raise GanvasError("LevelGuidance needs a G that makes several levels (GAT): for other networks take Adversarial")
        return self.game.state(spec, nets)

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        levels = count_output_levels(nets)
        return _build_level_stage(_build_level_game(self, levels).stage(nets, clock), levels)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)


def count_output_levels(nets: Nets) -> int:
    return int(nets["G"].levels_of_output)  # type: ignore[arg-type]


def play_on_levels(loss: Loss, levels: int, nets: Nets, batch: Batch, clock: Clock) -> Turn:
    """A turn of the game for which G shows all levels, and reals have as many."""
    G = nets["G"]
    seen = {**batch, "x": batch["x"].repeat(1, levels, 1, 1)} if "x" in batch else batch
    G.shows_levels = True  # type: ignore[assignment]
    try:
        turn = loss(nets, seen, clock)
    finally:
        G.shows_levels = False  # type: ignore[assignment]  # who else asks it for samples gets the last level
    if "x" not in turn.statistics:
        return turn
    return turn._replace(statistics={**turn.statistics, "x": batch["x"]})  # one level, because the next phase repeats it


@cache
def _build_level_game(method: LevelGuidance, levels: int) -> Adversarial:
    """The game as it is played on all levels."""
    noise = LevelNoise(levels=levels, base=method.base, floor=method.floor, augment=method.game.augment)
    sides = tuple(replace(side, view=LastLevel(levels=levels, view=side.view)) for side in method.game.side_critics)
    return replace(method.game, augment=noise, side_critics=sides)


@cache
def _build_level_stage(game_stage: Stage, levels: int) -> Stage:
    phases = tuple(phase._replace(loss=partial(play_on_levels, phase.loss, levels)) for phase in game_stage.phases)
    return game_stage._replace(name="levels", phases=phases)
