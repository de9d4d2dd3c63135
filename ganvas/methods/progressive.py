"""Networks that grow while they learn, from 4 px to the whole image. Karras et al. 2018, section 2 and appendix A.1."""

from collections.abc import Callable
from functools import cache, partial
from math import ceil, floor

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, refuse
from .adversarial import Adversarial

Loss = Callable[[Nets, Batch, Clock], Turn]


class Growth(nn.Module):
    """How far networks are grown: 2.3 is 8 px, and 16 px faded in by 0.3. Kept with them, for samples have no clock."""

    kept: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0.0  # the same as the buffer, for a device is not to be asked in every step
        self.register_buffer("kept", torch.zeros(()))
        self.register_load_state_dict_post_hook(Growth.restore_depth)

    @staticmethod
    def restore_depth(growth: nn.Module, _: object) -> None:
        assert isinstance(growth, Growth)
        growth.depth = float(growth.kept)

    def grow_to(self, depth: float) -> float:
        """At least this far, for what is grown stays so when a run is given more time."""
        if depth > self.depth:
            self.depth = depth
            self.kept.fill_(depth)
        return self.depth

    def cap_depth(self, max_depth: float) -> None:
        """At most this far: of networks that came from larger ones."""
        self.kept.clamp_(max=max_depth)
        self.depth = float(self.kept)


@config
class Progressive:
    """A game on networks that have a `depth`, which grow a size at a time: faded in, then trained as they are.

    game: what is played at every size.
    kimg: thousand samples that a size is faded in for, and as many that it trains for before the next one; 0 fits growing
        into `share` of the run.
    batches: samples a step at each size from 4 px up, the last one for all larger ones; () is the recipe's.
    """

    game: Adversarial = Adversarial()
    kimg: float = 0.0
    share: float = 0.6
    batches: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        refuse(not 0 <= self.kimg < 1e9, "method.kimg", self.kimg, "0 or more", "--method.kimg 600")
        refuse(not 0 < self.share <= 1, "method.share", self.share, "in (0, 1]", "--method.share 0.6")
        wrong = any(batch < 2 for batch in self.batches)
        refuse(wrong, "method.batches", self.batches, "2 or more each", "--method.batches 128 128 128 64")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return self.game.averaged_networks

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not all(hasattr(nets[player], "depth") for player in "GD"):
            raise GanvasError("Progressive grows networks that can: ProGAN or StyleGAN; for others take the method Adversarial")
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
        nets["G"].depth = get_growth(nets).depth  # type: ignore[assignment]  # layers that are not grown want no styles
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        """Samples in the data's size, whatever size they are grown to."""
        nets["G"].depth = depth = get_growth(nets).depth  # type: ignore[assignment]
        x = self.game.render(nets, latents)
        return interpolate(x, scale_factor=2 ** (count_levels(nets) - ceil(depth)), mode="nearest")

    def schedule_depth(self, nets: Nets, clock: Clock) -> float:
        """The schedule: 4 px for a stretch of samples; then each size fades in for one, and trains for one."""
        max_level = count_levels(nets)
        stretch = 1000 * self.kimg or self.share * clock.total / (2 * max_level)
        stretches_past = clock.samples / stretch - 1
        if stretches_past < 0:
            return 0.0
        level = floor(stretches_past / 2)  # grown before
        return round_to_float32(min(max_level, level + min(1.0, stretches_past - 2 * level)))

    def play_at_depth(self, loss: Loss, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """A turn of the game at the present size."""
        depth = get_growth(nets).grow_to(self.schedule_depth(nets, clock))
        for player in "GD":
            nets[player].depth = depth  # type: ignore[assignment]
        turn = loss(nets, {**batch, "x": shrink_to_depth(batch["x"], depth, count_levels(nets))}, clock)
        statistics = {**turn.statistics, "depth": get_growth(nets).kept.clone()}
        return turn._replace(
            statistics={**statistics, "x": batch["x"]} if "x" in statistics else statistics
        )  # the next phase shrinks them itself


def round_to_float32(depth: float) -> float:
    """As a buffer keeps it."""
    return float(torch.tensor(depth, dtype=torch.float32))


def get_growth(nets: Nets) -> Growth:
    memory = nets["growth"]
    assert isinstance(memory, Growth)
    return memory


def count_levels(nets: Nets) -> int:
    """Doublings from 4 px to the whole image."""
    return int(nets["G"].levels)  # type: ignore[arg-type]


def shrink_to_depth(x: Tensor, depth: float, levels: int) -> Tensor:
    """Images as large as the networks are grown; those of a size that fades in are as blurred as fakes are."""
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
