"""Networks that grow during training, from 4 px to the whole image. Karras et al. 2018, section 2 and appendix A.1."""

from collections.abc import Callable
from functools import cache, partial
from math import ceil, floor

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from .adversarial import Adversarial

Loss = Callable[[Nets, Batch, Clock], Turn]


class Growth(nn.Module):
    """How far networks have grown: at 2.3 they make 16 px, and 32 px is faded in by 0.3.

    It is saved with the networks, because sampling has no clock.
    """

    kept: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0.0  # a copy of the buffer, because reading it from a GPU in every step is slow
        self.register_buffer("kept", torch.zeros(()))
        self.register_load_state_dict_post_hook(Growth.restore_depth)

    @staticmethod
    def restore_depth(growth: nn.Module, _: object) -> None:
        assert isinstance(growth, Growth)
        growth.depth = float(growth.kept)

    def grow_to(self, depth: float) -> float:
        """Grow to `depth`, or stay deeper: a longer budget does not shrink networks. Returns the depth."""
        if depth > self.depth:
            self.depth = depth
            self.kept.fill_(depth)
        return self.depth

    def cap_depth(self, max_depth: float) -> None:
        """Shrink to at most `max_depth`, for networks whose weights came from larger ones."""
        self.kept.clamp_(max=max_depth)
        self.depth = float(self.kept)


@config
class Progressive:
    """A game on networks with a `depth`, which grow one size at a time: each size fades in, then trains alone.

    game: the method at every size.
    kimg: thousand samples to fade a size in, and again to train it before the next; 0 fits growth into `share` of the run.
    share: of the run in which the networks grow, in (0, 1]; only with kimg=0.
    batches: samples per step at each size from 4 px up, the last one for all larger sizes; () takes the recipe's.
    """

    game: Adversarial = Adversarial()
    kimg: float = 0.0
    share: float = 0.6
    batches: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require(0 <= self.kimg < 1e9, "kimg", self.kimg, "0 or more, below 1e9")
        require(0 < self.share <= 1, "share", self.share, "in (0, 1]")
        require(all(batch >= 2 for batch in self.batches), "batches", self.batches, "2 or more each")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return self.game.averaged_networks

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not all(hasattr(nets[player], "depth") for player in "GD"):
            raise GanvasError("Progressive needs networks that can grow (ProGAN or StyleGAN): for others take Adversarial")
        memories = self.game.state(spec, nets)
        memories["growth"] = Growth()
        return memories

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        level = ceil(max(self.schedule_depth(nets, clock), get_growth(nets).depth))
        return _build_progressive_stage(self, self.game.stage(nets, clock).phases, level, count_levels(nets))

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        nets["G"].depth = get_growth(nets).depth  # type: ignore[assignment]  # layers above this depth need no styles
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        """Samples in the data's size, whatever size the networks have grown to."""
        nets["G"].depth = depth = get_growth(nets).depth  # type: ignore[assignment]
        x = self.game.render(nets, latents)
        return interpolate(x, scale_factor=2 ** (count_levels(nets) - ceil(depth)), mode="nearest")

    def schedule_depth(self, nets: Nets, clock: Clock) -> float:
        """The scheduled depth: one stretch of samples at 4 px, then each size fades in for one and trains for one."""
        max_level = count_levels(nets)
        stretch = 1000 * self.kimg or self.share * clock.total / (2 * max_level)
        stretches_past = clock.samples / stretch - 1
        if stretches_past < 0:
            return 0.0
        level = floor(stretches_past / 2)  # the last level that is complete
        return round_to_float32(min(max_level, level + min(1.0, stretches_past - 2 * level)))

    def play_at_depth(self, loss: Loss, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """A turn of the game at the current size."""
        depth = get_growth(nets).grow_to(self.schedule_depth(nets, clock))
        for player in "GD":
            nets[player].depth = depth  # type: ignore[assignment]
        turn = loss(nets, {**batch, "x": shrink_to_depth(batch["x"], depth, count_levels(nets))}, clock)
        statistics = {**turn.statistics, "depth": get_growth(nets).kept.clone()}
        return turn._replace(
            statistics={**statistics, "x": batch["x"]} if "x" in statistics else statistics
        )  # full size, because the next phase shrinks x again


def round_to_float32(depth: float) -> float:
    """`depth` rounded as in a float32 buffer."""
    return float(torch.tensor(depth, dtype=torch.float32))


def get_growth(nets: Nets) -> Growth:
    memory = nets["growth"]
    assert isinstance(memory, Growth)
    return memory


def count_levels(nets: Nets) -> int:
    """Doublings from 4 px to the whole image."""
    return int(nets["G"].levels)  # type: ignore[arg-type]


def shrink_to_depth(x: Tensor, depth: float, levels: int) -> Tensor:
    """Shrink images to the networks' size. While a size fades in, blur them like the fakes."""
    x = avg_pool2d(x, 2 ** (levels - ceil(depth)))
    if depth == ceil(depth):
        return x
    coarse = interpolate(avg_pool2d(x, 2), scale_factor=2, mode="nearest")
    return torch.lerp(coarse, x, depth - floor(depth))


@cache
def _build_progressive_stage(method: Progressive, game_phases: tuple[Phase, ...], level: int, max_level: int) -> Stage:
    phases = tuple(phase._replace(loss=partial(method.play_at_depth, phase.loss)) for phase in game_phases)
    batch = method.batches[min(level, len(method.batches) - 1)] if method.batches else None
    return Stage(f"{4 * 2**level} px", phases, batch, optimisers_to_reset=("G", "D"), is_full_size=level == max_level)
