"""What is decided before the first step, for it depends on data, machine and time: measured, said, written down."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from math import lcm

import torch
from torch import Tensor

from ..core import Dataset
from ..errors import GanvasError
from ..evaluation.evaluator import Judge
from ..recipe import Facts, Recipe, Trial
from ..runs.state import State, start
from ..sampling.stream import sample
from ..system import distributed
from ..system.console import say
from ..system.device import has_bf16, wait
from . import loop
from .loop import Loop
from .memory import footprints, free
from .start import begun

SNAPSHOT_SHARE = 0.03  # of a run on minutes that drawing and scoring samples may take
WORTHWHILE = 0.1  # of a run's minutes, which it goes on for where they are left
RESERVE = 0.03  # of its minutes that a run on them leaves for a machine that slows down
ROOM = 0.85  # of the memory that is free, which training may plan with
LOOKED = 2**30  # bytes of samples that are looked through for copies
LONG_RUN = 10**15  # images, of a run whose stages are to be those of any long one
BRIEF = 1.0  # seconds of a trial to compare recipes
LONG, SHARE, LONGEST = 3.0, 0.02, 60.0  # of one to plan with: seconds, its share of the minutes, and at most


def settle(asked: Recipe, data: Dataset, judge: Judge | None, seed: int, where: torch.device, quiet: bool) -> Recipe:
    """The recipe with everything decided: precision, what its chooser chooses, parts, the budget in images, snapshots.

    Raises:
        GanvasError: it does not fit into memory; with what would.
    """
    settings = asked.train
    if settings.precision == "auto":
        settings = replace(settings, precision="bf16" if has_bf16(where) else "fp32")
    recipe = replace(asked, train=settings, choose=None)
    if asked.choose is not None:
        recipe = _chosen(recipe, asked, data, seed, where, quiet)
    recipe = fitted(recipe, data, seed, where, quiet)
    settings = recipe.train
    if settings.minutes is None:
        return staged(replace(recipe, train=replace(settings, snapshots=settings.snapshots or 12)), data, seed, quiet)
    seconds = 60 * settings.minutes
    snapshot = distributed.told(drawing(recipe, data, judge, seed, where))
    snapshots = settings.snapshots or min(60, max(2, int(SNAPSHOT_SHARE * seconds / snapshot)))
    useful = max(seconds * (1 - RESERVE) - snapshots * snapshot, 0.1 * seconds)
    speed = distributed.told(measure(recipe, data, seed, where, min(LONGEST, max(LONG, SHARE * seconds)), useful).speed)
    images = max(1, int(speed * useful) // settings.batch) * settings.batch
    say(quiet, f"measured {speed:,.0f} images/s: {settings.minutes:g} minutes are {images:,} images ({settings.precision})")
    return staged(replace(recipe, train=replace(settings, minutes=None, images=images, snapshots=snapshots)), data, seed, quiet)


def unspent(minutes: float | None, batch: int, state: State) -> int:
    """More images that a run on minutes has time for when its budget is spent, at the speed it had; 0 where little is left.

    A trial of seconds is wrong when something else has the machine meanwhile: such runs once used one minute of five.
    """
    if minutes is None or state.clock.images < state.clock.total or not state.seconds:
        return 0
    left = 60 * minutes * (1 - RESERVE) - state.seconds
    if left < WORTHWHILE * 60 * minutes:
        return 0
    return int(state.clock.images / state.seconds * left) // batch * batch


def staged(recipe: Recipe, data: Dataset, seed: int, quiet: bool) -> Recipe:
    """The recipe, of whose stages it is said how much of the run they take, where there are several."""
    nets = begun(recipe, data.spec, seed, torch.device("cpu")).nets
    stages = [(recipe.method.stage(nets, clock), share) for clock, share in loop.stages(recipe, nets)]
    if len(stages) > 1:
        say(quiet, "stages: " + ", ".join(f"{stage.name} {share:.0%}" for stage, share in stages) + " of the images")
    if not stages[-1][0].grown:
        say(quiet, "note: these images do not grow the networks to their full size: --method.kimg 0 fits growing into them")
    return recipe


def _chosen(recipe: Recipe, asked: Recipe, data: Dataset, seed: int, where: torch.device, quiet: bool) -> Recipe:
    assert asked.choose is not None
    seconds = 60 * asked.train.minutes if asked.train.minutes else None
    facts = Facts(len(data), distinct(data.stored), data.spec, str(where), seconds)

    def attempt(candidate: Recipe) -> Trial:
        eager = replace(candidate, train=replace(candidate.train, compile=False))
        return distributed.told(measure(fitted(eager, data, seed, where, quiet=True), data, seed, where, BRIEF))

    chosen, reasons = asked.choose(recipe, facts, attempt)
    for reason in reasons:
        say(quiet, f"  {reason}")
    return chosen


def distinct(stored: Tensor) -> int:
    """How many samples differ; where they are too many to look at, as large a share as among those looked at."""
    size = stored[:1].nbytes
    looked = stored[: max(1, LOOKED // size)]
    seen = {hashlib.blake2b(row.numpy().tobytes(), digest_size=16).digest() for row in looked.cpu()}
    return round(len(seen) * len(stored) / len(looked))


def fitted(recipe: Recipe, data: Dataset, seed: int, where: torch.device, quiet: bool) -> Recipe:
    """The recipe in as many parts as memory asks for, said so. Raises GanvasError where no number of them is enough."""
    needs, world = footprints(recipe, data, seed, where), distributed.world()
    parts, least = recipe.train.parts * world, min(need.batch for need in needs)
    if parts > least // 2:
        raise GanvasError(f"a batch of {least} has fewer than 2 samples for each of {parts} parts: --train.batch {2 * parts}")
    room = distributed.told(int(ROOM * free(where)) // (distributed.neighbours() if where.type == "cpu" else 1))
    possible = range(parts, least // 2 + 1, world)
    fitting = next((n for n in possible if max(need.cut(n) for need in needs) <= room), None)
    if fitting is None:
        hungriest = max(needs, key=lambda need: need.cut(least // 2))
        raise GanvasError(
            f"training needs about {_gb(hungriest.of(2))} of memory even with 2 samples at a time, and {_gb(room)} are free: "
            "a smaller --medium.size, or smaller networks (--nets.…; ganvas train RECIPE --help)"
        )
    if fitting == parts:
        return recipe
    hungriest = max(needs, key=lambda need: need.cut(parts))
    say(
        quiet,
        f"a batch of {hungriest.batch} needs about {_gb(hungriest.cut(parts))} of memory, and {_gb(room)} are free: it is "
        f"worked through in {fitting // world} parts, their gradients added",
    )
    return replace(recipe, train=replace(recipe.train, parts=fitting // world))


def measure(
    recipe: Recipe, data: Dataset, seed: int, where: torch.device, seconds: float, budget: float | None = None
) -> Trial:
    """A few steps of each stage, on networks that are thrown away.

    seconds: that the trial takes. budget: of the run, in seconds, where it is known: stages may be of so many images each.
    """
    recipe = replace(recipe, train=replace(recipe.train, minutes=None))
    state = begun(recipe, data.spec, seed, where)
    fresh = begun(recipe, data.spec, seed, torch.device("cpu")).nets  # those that are played with grow, and stay so
    playing, paces = Loop(recipe, data, state, seed), dict[str, float]()

    def cost(images: int) -> float:
        """Seconds an image, in a run of so many."""
        total, stages = 0.0, loop.stages(replace(recipe, train=replace(recipe.train, images=images)), fresh)
        for clock, share in stages:
            name = recipe.method.stage(fresh, clock).name
            if name not in paces:
                state.clock = clock
                paces[name] = pace(playing, seconds / len(stages), where)
            total += share * paces[name]
        return total

    speed = 1 / cost(LONG_RUN) if budget is None else affordable(cost, budget) / budget
    if recipe.train.compile:
        torch.compiler.reset()  # what was compiled counts towards torch's limit, and training compiles its own
    return Trial(speed=speed)


def affordable(cost: Callable[[int], float], seconds: float) -> int:
    """How many images a run may have, where an image costs the more the more there are."""
    low, high = 0, 1000
    while high < LONG_RUN and high * cost(high) < seconds:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle * cost(middle) <= seconds else (low, middle)
    return max(1, low)


def pace(playing: Loop, seconds: float, where: torch.device) -> float:
    """Seconds an image takes where the state's clock stands; steps with lazy phases count as often as they come."""
    state = playing.state
    stage = playing.recipe.method.stage(state.nets, state.clock)
    batch = stage.batch or playing.recipe.train.batch
    kinds: dict[tuple[bool, ...], list[int]] = {}  # steps of a cycle, by the phases that are due
    for step in range(lcm(*(phase.every for phase in stage.phases))):
        kinds.setdefault(tuple(step % phase.every == 0 for phase in stage.phases), []).append(step)

    def timed(step: int) -> float:
        state.clock = state.clock._replace(step=step)
        began = time.perf_counter()
        playing.step(stage, batch)
        wait(where)
        return time.perf_counter() - began

    for steps in (*kinds.values(), *kinds.values()):  # the first ones warm up
        timed(steps[0])
    began, rounds = time.perf_counter(), list[float]()
    while len(rounds) < 3 or time.perf_counter() - began <= seconds:
        rounds.append(sum(len(steps) * timed(steps[0]) for steps in kinds.values()))
    return sum(rounds) / len(rounds) / (batch * sum(map(len, kinds.values())))


def drawing(recipe: Recipe, data: Dataset, judge: Judge | None, seed: int, where: torch.device) -> float:
    """Seconds that a snapshot takes, on untrained networks in the run's last stage."""
    state = start(recipe, data.spec, seed, where)
    stages = loop.stages(recipe, state.nets)
    if len(stages) > 1:
        state.clock = stages[-1][0]
        whole = replace(recipe, train=replace(recipe.train, parts=1))
        Loop(whole, data, state, seed).step(recipe.method.stage(state.nets, state.clock), 2)
    nets, begun = state.sampled(), time.perf_counter()
    if judge is not None:
        judge.snapshot(recipe.method, nets)
        data.codec.preview(sample(recipe.method, nets, data.codec, data.codec.shown, seed))
    return time.perf_counter() - begun


def _gb(size: int) -> str:
    return f"{size / 2**30:.1f} GB"
