"""Two translators learn without pairs: what goes there and back has to stay itself. Zhu et al. 2017 (CycleGAN)."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, CriticPenalty, Latents, Nets, Objective, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..losses.objectives import LeastSquares, WeightedObjective
from ..system import distributed
from .adversarial import Adversarial
from .critics import build_critic, check_penalties_run_always, collect_penalties, describe_logits, show_samples
from .image_pool import ImagePool
from .latents import build_condition_draws
from .sources import measure_pixel_error, read_source_condition_shape, require_like_source

DEFAULT_GAME = Adversarial()  # draws sources as in a game


class CycleDirection(NamedTuple):
    """One of the two ways: a generator, the one that leads back, the critic of its results, and the columns at its ends."""

    generator: str
    way_back: str
    critic: str
    start: str
    end: str
    fake: str  # the name of its results in statistics
    pool: str


DIRECTIONS = (
    CycleDirection("G", "G_reverse", "D", "source", "x", "fake", "pool"),
    CycleDirection("G_reverse", "G", "D_reverse", "x", "source", "fake_source", "pool_reverse"),
)


@config
class Cycle:
    """Train G, G_reverse and their critics on two sets of samples. No generator runs on a sample twice in a step.

    objective: the two losses of each direction. The default is the paper's least squares, halved for critics alone.
    penalties: on each critic, in every step.
    cycle: weight of |there and back - start|, the mean over pixels; eq. 2.
    identity: weight of |G(x) - x|, which keeps colours; section 5.2. It needs as many channels on both sides.
    pool: how many past fakes each critic remembers; 0 is none.
    """

    objective: Objective = WeightedObjective(objective=LeastSquares(), weight=2.0)
    penalties: tuple[CriticPenalty, ...] = ()
    cycle: float = 10.0
    identity: float = 5.0
    pool: int = 50

    def __post_init__(self) -> None:
        check_penalties_run_always("Cycle", self.penalties)
        require(self.cycle >= 0, "cycle", self.cycle, "0 or more")
        require(self.identity >= 0, "identity", self.identity, "0 or more")
        require(0 <= self.pool <= 100_000, "pool", self.pool, "from 0 to 100,000")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G", "G_reverse")

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not {"G_reverse", "D_reverse"} <= set(nets):
            raise GanvasError("Cycle needs two generators and two critics: take the networks CycleGAN")
        shapes = {"source": read_source_condition_shape(spec, "Cycle"), "x": spec.shape}
        if self.identity:
            require_like_source(spec, "Cycle")
        memories = build_condition_draws(spec)
        if self.pool:
            memories |= {direction.pool: ImagePool(self.pool, shapes[direction.end]) for direction in DIRECTIONS}
        return nn.ModuleDict(memories)

    def traits(self, nets: Nets) -> Traits:
        return DEFAULT_GAME.traits(nets)._replace(critics=("D", "D_reverse"), reverse_generator="G_reverse")

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_cycle_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return DEFAULT_GAME.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return DEFAULT_GAME.render(nets, latents)

    def reconstruct(self, nets: Nets, batch: Batch) -> Tensor:
        """x after a way back and forth: x -> source -> x, of the same shape."""
        return nets["G"](nets["G_reverse"](batch["x"]))

    def measure_cycle_error(self, nets: Nets, batch: Batch) -> Tensor:
        """[N], the mean distance of each x from itself after a way back and forth; x lies in [-1, 1]."""
        return measure_pixel_error(self.reconstruct(nets, batch), batch["x"])

    # ------------------------------------------------------------ the turns

    def play_generators(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        terms, fakes = dict[str, Tensor](), dict[str, Tensor]()
        for direction in DIRECTIONS:
            own_terms, fakes[direction.fake] = self.translate(direction, nets, batch)
            terms |= own_terms
        return Turn(terms, {**batch, **fakes})  # critics judge these fakes, beside the same reals

    def translate(self, direction: CycleDirection, nets: Nets, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """(the loss of one direction's generator, its detached fakes)."""
        start, end, name = batch[direction.start], batch[direction.end], direction.generator
        G, critic = nets[name], build_critic(nets, {}, direction.critic)

        def score_reals() -> Tensor:
            with torch.no_grad():
                return critic(end).logits

        fake = G(start)
        terms = {
            f"{name}/adversarial": self.objective.g(critic(fake).logits, score_reals),
            f"{name}/cycle": self.cycle * measure_pixel_error(nets[direction.way_back](fake), start),
        }
        if self.identity:
            terms[f"{name}/identity"] = self.identity * measure_pixel_error(G(end), end)
        return terms, fake.detach()

    def play_critics(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        terms, statistics = dict[str, Tensor](), dict[str, Tensor]()
        for direction in DIRECTIONS:
            fake_x, name = batch[direction.fake], direction.critic
            if self.pool:
                pool = get_pool(nets, direction)
                slots = pool.draw_slots(len(fake_x))
                fake_x, statistics[f"{direction.pool}/slots"] = pool.replace_some(fake_x, slots), slots
            critic = build_critic(nets, {}, name)
            real, fake = show_samples(critic, batch[direction.end]), show_samples(critic, fake_x)
            terms[f"{name}/adversarial"] = self.objective.d(real.output.logits, fake.output.logits)
            terms |= collect_penalties(name, self.penalties, (critic, critic), real, fake, clock)
            statistics |= describe_logits(name, real, fake)
        return Turn(terms, statistics)

    def store_fakes(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """Put the step's fakes into the pools: those of all ranks, so that every rank keeps the same pool."""
        for direction in DIRECTIONS:
            fakes, slots = (statistics[name] for name in (direction.fake, f"{direction.pool}/slots"))
            get_pool(nets, direction).store(distributed.gather_rows(fakes), distributed.gather_rows(slots))


def get_pool(nets: Nets, direction: CycleDirection) -> ImagePool:
    pool = nets[direction.pool]
    assert isinstance(pool, ImagePool)
    return pool


@cache
def _build_cycle_stage(method: Cycle) -> Stage:
    after = method.store_fakes if method.pool else None
    generators = Phase("G", ("G", "G_reverse"), method.play_generators)
    critics = Phase("D", ("D", "D_reverse"), method.play_critics, needs_data=False, after=after)
    return Stage("cycle", (generators, critics))
