"""Networks that grow while they learn, from 4 px to the whole image. Karras et al. 2018, section 2 and appendix A.1."""

from collections.abc import Callable
from functools import cache, partial
from math import ceil, floor

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from ..config import config
from ..core import ANY, Asked, Batch, Clock, Latents, Nets, Phase, Spec, Stage, Turn
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
        self.register_load_state_dict_post_hook(Growth.loaded)

    @staticmethod
    def loaded(growth: nn.Module, _: object) -> None:
        assert isinstance(growth, Growth)
        growth.depth = float(growth.kept)

    def reach(self, depth: float) -> float:
        """At least this far, for what is grown stays so when a run is given more time."""
        if depth > self.depth:
            self.depth = depth
            self.kept.fill_(depth)
        return self.depth

    def limit(self, most: float) -> None:
        """At most this far: of networks that came from larger ones."""
        self.kept.clamp_(max=most)
        self.depth = float(self.kept)


@config
class Progressive:
    """A game on networks that have a `depth`, which grow a size at a time: faded in, then trained as they are.

    game: what is played at every size.
    kimg: thousand images that a size is faded in for, and as many that it trains for before the next one; 0 fits growing
        into `share` of the run.
    batches: images a step at each size from 4 px up, the last one for all larger ones; () is the recipe's.
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
    def averaged(self) -> tuple[str, ...]:
        return self.game.averaged

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not all(hasattr(nets[player], "depth") for player in "GD"):
            raise GanvasError("Progressive grows networks that can: ProGAN or StyleGAN; for others take the method Adversarial")
        kept = self.game.state(spec, nets)
        kept["growth"] = Growth()
        return kept

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        level = ceil(max(self.depth(nets, clock), growth(nets).depth))
        return _stage(self, self.game.stage(nets, clock).phases, level, levels(nets))

    def latents(self, nets: Nets, n: int, generator: torch.Generator | None = None, asked: Asked = ANY) -> Latents:
        nets["G"].depth = growth(nets).depth  # type: ignore[assignment]  # layers that are not grown want no styles
        return self.game.latents(nets, n, generator, asked)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        """Samples in the data's size, whatever size they are grown to."""
        nets["G"].depth = depth = growth(nets).depth  # type: ignore[assignment]
        x = self.game.render(nets, latents)
        return interpolate(x, scale_factor=2 ** (levels(nets) - ceil(depth)), mode="nearest")

    def depth(self, nets: Nets, clock: Clock) -> float:
        """The schedule: 4 px for a stretch of images; then each size fades in for one, and trains for one."""
        most = levels(nets)
        stretch = 1000 * self.kimg or self.share * clock.total / (2 * most)
        past = clock.images / stretch - 1
        if past < 0:
            return 0.0
        size = floor(past / 2)  # grown before
        return rounded(min(most, size + min(1.0, past - 2 * size)))

    def play(self, loss: Loss, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """A turn of the game at the present size."""
        depth = growth(nets).reach(self.depth(nets, clock))
        for player in "GD":
            nets[player].depth = depth  # type: ignore[assignment]
        turn = loss(nets, {**batch, "x": shrunk(batch["x"], depth, levels(nets))}, clock)
        seen = {**turn.seen, "depth": growth(nets).kept.clone()}
        return turn._replace(seen={**seen, "x": batch["x"]} if "x" in seen else seen)  # the next phase shrinks them itself


def rounded(depth: float) -> float:
    """As a buffer keeps it."""
    return float(torch.tensor(depth, dtype=torch.float32))


def growth(nets: Nets) -> Growth:
    kept = nets["growth"]
    assert isinstance(kept, Growth)
    return kept


def levels(nets: Nets) -> int:
    """Doublings from 4 px to the whole image."""
    return int(nets["G"].levels)  # type: ignore[arg-type]


def shrunk(x: Tensor, depth: float, levels: int) -> Tensor:
    """Images as large as the networks are grown; those of a size that fades in are as blurred as fakes are."""
    x = avg_pool2d(x, 2 ** (levels - ceil(depth)))
    if depth == ceil(depth):
        return x
    coarse = interpolate(avg_pool2d(x, 2), scale_factor=2, mode="nearest")
    return torch.lerp(coarse, x, depth - floor(depth))


@cache
def _stage(method: Progressive, game: tuple[Phase, ...], level: int, most: int) -> Stage:
    phases = tuple(phase._replace(loss=partial(method.play, phase.loss)) for phase in game)
    batch = method.batches[min(level, len(method.batches) - 1)] if method.batches else None
    return Stage(f"{4 * 2**level} px", phases, batch, reset=("G", "D"), grown=level == most)
