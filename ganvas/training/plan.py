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
from ..evaluation.evaluator import Evaluator
from ..recipe import Facts, Recipe, Trial
from ..runs.state import State, build_state
from ..sampling.stream import draw_samples
from ..system import distributed
from ..system.console import print_status
from ..system.device import has_bf16, wait_for_device
from . import loop
from .loop import Loop
from .memory import estimate_memory_needs, measure_free_bytes
from .start import initial_state

SNAPSHOT_TIME_SHARE = 0.03  # of a run on minutes that drawing and scoring samples may take
MIN_REMAINING_TIME_SHARE = 0.1  # of a run's minutes, which it goes on for where they are left
RESERVED_TIME_SHARE = 0.03  # of its minutes that a run on them leaves for a machine that slows down
USABLE_MEMORY_SHARE = 0.85  # of the memory that is free, which training may plan with
COPY_SEARCH_BYTES = 2**30  # bytes of samples that are looked through for copies
LONG_RUN_SAMPLES = 10**15  # samples, of a run whose stages are to be those of any long one
CHOOSER_TRIAL_SECONDS = 1.0  # seconds of a trial to compare recipes
MIN_TRIAL_SECONDS, TRIAL_TIME_SHARE, MAX_TRIAL_SECONDS = (
    3.0,
    0.02,
    60.0,
)  # of one to plan with: seconds, its share of the minutes, and at most


def plan_training(
    requested: Recipe, data: Dataset, evaluator: Evaluator | None, seed: int, device: torch.device, is_quiet: bool
) -> Recipe:
    """The recipe with everything decided: precision, what its chooser chooses, parts, the budget in samples, snapshots.

    Raises:
        GanvasError: it does not fit into memory; with what would.
    """
    settings = requested.train
    if settings.precision == "auto":
        settings = replace(settings, precision="bf16" if has_bf16(device) else "fp32")
    recipe = replace(requested, train=settings, choose=None)
    if requested.choose is not None:
        recipe = _choose_recipe(recipe, requested, data, seed, device, is_quiet)
    recipe = fit_to_memory(recipe, data, seed, device, is_quiet)
    settings = recipe.train
    if settings.minutes is None:
        return announce_stages(
            replace(recipe, train=replace(settings, snapshots=settings.snapshots or 12)), data, seed, is_quiet
        )
    seconds = 60 * settings.minutes
    snapshot_seconds = distributed.broadcast(measure_snapshot_seconds(recipe, data, evaluator, seed, device))
    snapshots = settings.snapshots or min(60, max(2, int(SNAPSHOT_TIME_SHARE * seconds / snapshot_seconds)))
    useful_seconds = max(seconds * (1 - RESERVED_TIME_SHARE) - snapshots * snapshot_seconds, 0.1 * seconds)
    samples_per_second = distributed.broadcast(
        measure_speed(
            recipe,
            data,
            seed,
            device,
            min(MAX_TRIAL_SECONDS, max(MIN_TRIAL_SECONDS, TRIAL_TIME_SHARE * seconds)),
            useful_seconds,
        ).samples_per_second
    )
    samples = max(1, int(samples_per_second * useful_seconds) // settings.batch) * settings.batch
    print_status(
        is_quiet,
        f"measured {samples_per_second:,.0f} samples/s: {settings.minutes:g} minutes are {samples:,} samples "
        f"({settings.precision})",
    )
    return announce_stages(
        replace(recipe, train=replace(settings, minutes=None, samples=samples, snapshots=snapshots)), data, seed, is_quiet
    )


def remaining_samples(minutes: float | None, batch: int, state: State) -> int:
    """More samples that a run on minutes has time for when its budget is spent, at the speed it had; 0 where little is left.

    A trial of seconds is wrong when something else has the machine meanwhile: such runs once used one minute of five.
    """
    if minutes is None or state.clock.samples < state.clock.total or not state.training_seconds:
        return 0
    seconds_left = 60 * minutes * (1 - RESERVED_TIME_SHARE) - state.training_seconds
    if seconds_left < MIN_REMAINING_TIME_SHARE * 60 * minutes:
        return 0
    return int(state.clock.samples / state.training_seconds * seconds_left) // batch * batch


def announce_stages(recipe: Recipe, data: Dataset, seed: int, is_quiet: bool) -> Recipe:
    """The recipe, of whose stages it is said how much of the run they take, where there are several."""
    nets = initial_state(recipe, data.spec, seed, torch.device("cpu")).nets
    stages = [(recipe.method.stage(nets, clock), share) for clock, share in loop.locate_stages(recipe, nets)]
    if len(stages) > 1:
        print_status(
            is_quiet, "stages: " + ", ".join(f"{stage.name} {share:.0%}" for stage, share in stages) + " of the samples"
        )
    if not stages[-1][0].is_full_size:
        print_status(
            is_quiet, "note: these samples do not grow the networks to their full size: --method.kimg 0 fits growing into them"
        )
    return recipe


def _choose_recipe(recipe: Recipe, requested: Recipe, data: Dataset, seed: int, device: torch.device, is_quiet: bool) -> Recipe:
    assert requested.choose is not None
    seconds = 60 * requested.train.minutes if requested.train.minutes else None
    facts = Facts(len(data), count_distinct(data.columns["x"]), data.spec, str(device), seconds)

    def run_trial(candidate: Recipe) -> Trial:
        eager_recipe = replace(candidate, train=replace(candidate.train, compile=False))
        return distributed.broadcast(
            measure_speed(
                fit_to_memory(eager_recipe, data, seed, device, is_quiet=True), data, seed, device, CHOOSER_TRIAL_SECONDS
            )
        )

    chosen_recipe, reasons = requested.choose(recipe, facts, run_trial)
    for reason in reasons:
        print_status(is_quiet, f"  {reason}")
    return chosen_recipe


def count_distinct(stored: Tensor) -> int:
    """How many samples differ; where they are too many to look at, as large a share as among those looked at."""
    sample_bytes = stored[:1].nbytes
    first_rows = stored[: max(1, COPY_SEARCH_BYTES // sample_bytes)]
    digests = {hashlib.blake2b(row.numpy().tobytes(), digest_size=16).digest() for row in first_rows.cpu()}
    return round(len(digests) * len(stored) / len(first_rows))


def fit_to_memory(recipe: Recipe, data: Dataset, seed: int, device: torch.device, is_quiet: bool) -> Recipe:
    """The recipe in as many parts as memory asks for, said so. Raises GanvasError where no number of them is enough."""
    needs, world = estimate_memory_needs(recipe, data, seed, device), distributed.count_ranks()
    micro_batches, smallest_batch = recipe.train.accumulate * world, min(need.batch for need in needs)
    if micro_batches > smallest_batch // 2:
        raise GanvasError(
            f"a batch of {smallest_batch} has fewer than 2 samples for each of {micro_batches} parts: --train.batch "
            f"{2 * micro_batches}"
        )
    available_bytes = distributed.broadcast(
        int(USABLE_MEMORY_SHARE * measure_free_bytes(device))
        // (distributed.ranks_on_this_machine() if device.type == "cpu" else 1)
    )
    candidate_counts = range(micro_batches, smallest_batch // 2 + 1, world)
    fitting_count = next(
        (n for n in candidate_counts if max(need.estimate_split_bytes(n) for need in needs) <= available_bytes), None
    )
    if fitting_count is None:
        hungriest = max(needs, key=lambda need: need.estimate_split_bytes(smallest_batch // 2))
        raise GanvasError(
            f"training needs about {_format_gigabytes(hungriest.estimate_bytes(2))} of memory even with 2 samples at a "
            f"time, and {_format_gigabytes(available_bytes)} are free: "
            "a smaller --medium.size, or smaller networks (--nets.…; ganvas train RECIPE --help)"
        )
    if fitting_count == micro_batches:
        return recipe
    hungriest = max(needs, key=lambda need: need.estimate_split_bytes(micro_batches))
    print_status(
        is_quiet,
        f"a batch of {hungriest.batch} needs about {_format_gigabytes(hungriest.estimate_split_bytes(micro_batches))} "
        f"of memory, and {_format_gigabytes(available_bytes)} are free: it is "
        f"worked through in {fitting_count // world} parts, their gradients added",
    )
    return replace(recipe, train=replace(recipe.train, accumulate=fitting_count // world))


def measure_speed(
    recipe: Recipe, data: Dataset, seed: int, device: torch.device, seconds: float, run_seconds: float | None = None
) -> Trial:
    """A few steps of each stage, on networks that are thrown away.

    seconds: that the trial takes. budget: of the run, in seconds, where it is known: stages may be of so many samples each.
    """
    recipe = replace(recipe, train=replace(recipe.train, minutes=None))
    state = initial_state(recipe, data.spec, seed, device)
    initial_nets = initial_state(
        recipe, data.spec, seed, torch.device("cpu")
    ).nets  # those that are played with grow, and stay so
    trial_loop, seconds_by_stage = Loop(recipe, data, state, seed), dict[str, float]()

    def estimate_seconds_per_sample(samples: int) -> float:
        """Seconds an image, in a run of so many."""
        seconds_per_sample, stages = (
            0.0,
            loop.locate_stages(replace(recipe, train=replace(recipe.train, samples=samples)), initial_nets),
        )
        for clock, share in stages:
            name = recipe.method.stage(initial_nets, clock).name
            if name not in seconds_by_stage:
                state.clock = clock
                seconds_by_stage[name] = measure_seconds_per_sample(trial_loop, seconds / len(stages), device)
            seconds_per_sample += share * seconds_by_stage[name]
        return seconds_per_sample

    samples_per_second = (
        1 / estimate_seconds_per_sample(LONG_RUN_SAMPLES)
        if run_seconds is None
        else fit_samples_to_time(estimate_seconds_per_sample, run_seconds) / run_seconds
    )
    if recipe.train.compile:
        torch.compiler.reset()  # what was compiled counts towards torch's limit, and training compiles its own
    return Trial(samples_per_second=samples_per_second)


def fit_samples_to_time(seconds_per_sample: Callable[[int], float], seconds: float) -> int:
    """How many samples a run may have, where an image costs the more the more there are."""
    low, high = 0, 1000
    while high < LONG_RUN_SAMPLES and high * seconds_per_sample(high) < seconds:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle * seconds_per_sample(middle) <= seconds else (low, middle)
    return max(1, low)


def measure_seconds_per_sample(trial_loop: Loop, seconds: float, device: torch.device) -> float:
    """Seconds an image takes where the state's clock stands; steps with lazy phases count as often as they come."""
    state = trial_loop.state
    stage = trial_loop.recipe.method.stage(state.nets, state.clock)
    batch = stage.batch or trial_loop.recipe.train.batch
    steps_by_due_phases: dict[tuple[bool, ...], list[int]] = {}  # steps of a cycle, by the phases that are due
    for step in range(lcm(*(phase.every for phase in stage.phases))):
        steps_by_due_phases.setdefault(tuple(step % phase.every == 0 for phase in stage.phases), []).append(step)

    def time_step(step: int) -> float:
        state.clock = state.clock._replace(step=step)
        step_started = time.perf_counter()
        trial_loop.train_step(stage, batch)
        wait_for_device(device)
        return time.perf_counter() - step_started

    for steps in (*steps_by_due_phases.values(), *steps_by_due_phases.values()):  # the first ones warm up
        time_step(steps[0])
    trial_started, cycle_seconds = time.perf_counter(), list[float]()
    while len(cycle_seconds) < 3 or time.perf_counter() - trial_started <= seconds:
        cycle_seconds.append(sum(len(steps) * time_step(steps[0]) for steps in steps_by_due_phases.values()))
    return sum(cycle_seconds) / len(cycle_seconds) / (batch * sum(map(len, steps_by_due_phases.values())))


def measure_snapshot_seconds(
    recipe: Recipe, data: Dataset, evaluator: Evaluator | None, seed: int, device: torch.device
) -> float:
    """Seconds that a snapshot takes, on untrained networks in the run's last stage."""
    state = build_state(recipe, data.spec, seed, device)
    stages = loop.locate_stages(recipe, state.nets)
    if len(stages) > 1:
        state.clock = stages[-1][0]
        unsplit_recipe = replace(recipe, train=replace(recipe.train, accumulate=1))
        Loop(unsplit_recipe, data, state, seed).train_step(recipe.method.stage(state.nets, state.clock), 2)
    nets, snapshot_started = state.select_sampling_networks(), time.perf_counter()
    if evaluator is not None:
        evaluator.score_snapshot(recipe.method, nets)
        data.codec.preview(draw_samples(recipe.method, nets, data.codec, data.codec.preview_count, seed))
    return time.perf_counter() - snapshot_started


def _format_gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f} GB"
