"""What is decided before the first step, for it depends on data, machine and time: measured, said, written down."""

import hashlib
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from . import dist, loop
from .core import Dataset
from .device import has_bf16, wait
from .errors import GanvasError
from .evaluation import Judge
from .footprint import footprint, free
from .log import Tally
from .loop import Loop, State
from .recipe import Facts, Recipe, Trial
from .sampling import sample

SNAPSHOT_SHARE = 0.03  # of a run on minutes that drawing and scoring samples may take
RESERVE = 0.03  # of its minutes that a run on them leaves for a machine that slows down
ROOM = 0.85  # of the memory that is free, which training may plan with
LOOKED = 2**30  # bytes of samples that are looked through for copies
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
        return replace(recipe, train=replace(settings, snapshots=settings.snapshots or 12))
    seconds = 60 * settings.minutes
    trial = measure(recipe, data, seed, where, min(LONGEST, max(LONG, SHARE * seconds)))
    speed, snapshot = dist.told((trial.speed, drawing(recipe, data, judge, seed, where)))
    snapshots = settings.snapshots or min(60, max(2, int(SNAPSHOT_SHARE * seconds / snapshot)))
    useful = max(seconds * (1 - RESERVE) - snapshots * snapshot, 0.1 * seconds)
    images = max(1, int(speed * useful) // settings.batch) * settings.batch
    say(quiet, f"measured {speed:,.0f} images/s: {settings.minutes:g} minutes are {images:,} images ({settings.precision})")
    return replace(recipe, train=replace(settings, minutes=None, images=images, snapshots=snapshots))


def _chosen(recipe: Recipe, asked: Recipe, data: Dataset, seed: int, where: torch.device, quiet: bool) -> Recipe:
    assert asked.choose is not None
    seconds = 60 * asked.train.minutes if asked.train.minutes else None
    facts = Facts(len(data), distinct(data.stored), data.spec, str(where), seconds)

    def attempt(candidate: Recipe) -> Trial:
        eager = replace(candidate, train=replace(candidate.train, compile=False))
        return dist.told(measure(fitted(eager, data, seed, where, quiet=True), data, seed, where, BRIEF))

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
    batch, world = recipe.train.batch, dist.world()
    parts = recipe.train.parts * world
    if parts > batch // 2:
        raise GanvasError(f"a batch of {batch} has fewer than 2 samples for each of {parts} parts: --train.batch {2 * parts}")
    need = footprint(recipe, data, seed, where)
    room = dist.told(int(ROOM * free(where)) // (dist.neighbours() if where.type == "cpu" else 1))
    fitting = next((n for n in range(parts, batch // 2 + 1, world) if need.of(-(-batch // n)) <= room), None)
    if fitting is None:
        raise GanvasError(
            f"training needs about {_gb(need.of(2))} of memory even with 2 samples at a time, and {_gb(room)} are free: "
            "a smaller --medium.size, or smaller networks (--nets.…; ganvas train RECIPE --help)"
        )
    if fitting == parts:
        return recipe
    say(
        quiet,
        f"a batch of {batch} needs about {_gb(need.of(-(-batch // parts)))} of memory, and {_gb(room)} are free: it is worked "
        f"through in {fitting // world} parts, their gradients added",
    )
    return replace(recipe, train=replace(recipe.train, parts=fitting // world))


def measure(recipe: Recipe, data: Dataset, seed: int, where: torch.device, seconds: float) -> Trial:
    """A few steps of each stage, on networks that are thrown away."""
    recipe = replace(recipe, train=replace(recipe.train, minutes=None, images=10**15))
    state = loop.start(recipe, data.spec, seed, where)
    playing, stages, cost = Loop(recipe, data, state, seed), loop.stages(recipe, state.nets), 0.0
    for clock, share in stages:
        state.clock = clock
        with differentiable():
            cost += share * pace(playing, seconds / len(stages), where)
    if recipe.train.compile:
        torch.compiler.reset()  # what was compiled counts towards torch's limit, and training compiles its own
    return Trial(speed=1 / cost)


def pace(playing: Loop, seconds: float, where: torch.device) -> float:
    """Seconds an image takes from where the state's clock stands."""
    ends: list[tuple[float, int]] = []

    def watch(state: State, tally: Tally) -> bool:
        wait(where)
        ends.append((time.perf_counter(), state.clock.images))
        return len(ends) >= 5 and ends[-1][0] - ends[1][0] > seconds  # the first two steps warm up

    playing.run(watch)
    return (ends[-1][0] - ends[1][0]) / (ends[-1][1] - ends[1][1])


@contextmanager
def differentiable() -> Generator[None]:
    """Raises GanvasError where torch.compile meets a second derivative."""
    try:
        yield
    except RuntimeError as error:
        if "double backward" not in str(error):
            raise
        raise GanvasError(
            "torch.compile cannot differentiate an exact gradient penalty: take FiniteDifferenceR1 and R2, or leave out "
            "--train.compile"
        ) from error


def drawing(recipe: Recipe, data: Dataset, judge: Judge | None, seed: int, where: torch.device) -> float:
    """Seconds that a snapshot takes, on untrained networks."""
    nets = loop.start(recipe, data.spec, seed, where).sampled()
    begun = time.perf_counter()
    if judge is not None:
        judge.snapshot(recipe.method, nets)
        data.codec.preview(sample(recipe.method, nets, data.codec, data.codec.shown, seed))
    return time.perf_counter() - begun


def _gb(size: int) -> str:
    return f"{size / 2**30:.1f} GB"


def say(quiet: bool, text: str) -> None:
    """A line on stderr, beside whatever a command prints."""
    if not quiet:
        print(text, file=sys.stderr)
