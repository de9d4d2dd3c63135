"""What is decided before the first step, for it depends on data, machine and time: measured, said, written down."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ..core import Dataset
from ..errors import GanvasError
from ..evaluation.evaluator import Evaluator
from ..recipe import Facts, Recipe, Trial
from ..runs.state import State
from ..sampling.stream import draw_samples
from ..system import distributed
from ..system.device import has_bf16
from ..system.threads import LoadMeter, choose_thread_count, list_cores, set_thread_count
from .card_size import choose_card_size, limit_card_size
from .loop import Loop
from .memory import MemoryFootprint, estimate_memory_needs, measure_free_bytes
from .speed import LONG_RUN_SAMPLES, fit_samples_to_time, measure_seconds_per_sample
from .trial import TrialNetworks

DEFAULT_SNAPSHOTS = 12  # of a run on samples
SNAPSHOT_TIME_SHARE = 0.02  # of a run on minutes that drawing and scoring samples may take
MIN_REMAINING_TIME_SHARE = 0.1  # of a run's minutes, which it goes on for where they are left
RESERVED_TIME_SHARE = 0.03  # of its minutes that a run on them leaves for a machine that slows down
USABLE_MEMORY_SHARE = 0.85  # of the memory that is free, which training may plan with
COPY_SEARCH_BYTES = 2**30  # bytes of samples that are looked through for copies
CHOOSER_TRIAL_SECONDS = 1.0  # seconds of a trial to compare recipes
MIN_TRIAL_SECONDS, TRIAL_TIME_SHARE, MAX_TRIAL_SECONDS = (
    3.0,
    0.02,
    60.0,
)  # of one to plan with: seconds, its share of the minutes, and at most


class Planner:
    """Decides what depends on data, machine and time, before a run's first step.

    Networks are built once for each recipe that is tried, and only the last ones are kept.

    Args:
        requested: the recipe as someone asked for it.
        data: what it is to be trained on.
        seed: the run's.
        announce: where to say what was decided, a line each.

    Raises:
        GanvasError: networks that cannot be built for this data.
    """

    def __init__(
        self,
        requested: Recipe,
        data: Dataset,
        seed: int,
        device: torch.device,
        announce: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.requested, self.data, self.seed, self.device, self.announce = requested, data, seed, device, announce
        self.meter = LoadMeter()  # first: it watches while networks are built
        self.stage_speeds: dict[str, float] = {}  # samples/s of each stage by name, as last measured
        self.networks: TrialNetworks | None = TrialNetworks(requested, data.spec, seed, device, announce)

    def plan(self, evaluator: Evaluator | None) -> Recipe:
        """The recipe with everything decided: threads, precision, its chooser's choice, micro-batches, budget, snapshots.

        Raises:
            GanvasError: it does not fit into memory; with what would.
        """
        recipe = self.choose_precision(self.choose_threads(self.requested))
        recipe = self.fit_to_memory(self.choose_recipe(recipe))
        card_size = choose_card_size(recipe.evaluation, recipe.train)
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=card_size))
        if recipe.train.minutes is None:
            recipe = replace(recipe, train=replace(recipe.train, snapshots=recipe.train.snapshots or DEFAULT_SNAPSHOTS))
        else:
            recipe = self.turn_minutes_into_samples(recipe, recipe.train.minutes, evaluator)
        self.announce_stages(recipe)
        return recipe

    def choose_threads(self, recipe: Recipe) -> Recipe:
        """The recipe with its number of threads, which is set: as asked, else all, or fewer where the machine is busy.

        On a GPU, and where ranks share a machine, torch's number stays as it is.
        """
        threads, all_threads = recipe.train.threads, torch.get_num_threads()
        if threads is None and self.device.type == "cpu" and distributed.count_ranks() == 1:
            cores = len(list_cores())
            threads, other_cores = choose_thread_count(self.meter, cores)
            if threads < all_threads:
                self.announce(
                    f"the machine is busy with other work ({other_cores:.1f} of its {cores} cores): training in {threads} "
                    f"{'thread' if threads == 1 else 'threads'} is faster; --threads {all_threads} takes all"
                )
        set_thread_count(threads or all_threads)
        return replace(recipe, train=replace(recipe.train, threads=threads or all_threads))

    def choose_precision(self, recipe: Recipe) -> Recipe:
        if recipe.train.precision != "auto":
            return recipe
        return replace(recipe, train=replace(recipe.train, precision="bf16" if has_bf16(self.device) else "fp32"))

    def choose_recipe(self, recipe: Recipe) -> Recipe:
        """What the recipe's chooser makes of it, for reasons that it gives."""
        if recipe.choose is None:
            return recipe
        seconds = 60 * recipe.train.minutes if recipe.train.minutes else None
        distinct_samples = count_distinct(self.data.columns["x"])
        facts = Facts(len(self.data), distinct_samples, self.data.spec, str(self.device), seconds)
        chosen_recipe, reasons = recipe.choose(replace(recipe, choose=None), facts, self.try_recipe)
        for reason in reasons:
            self.announce(f"  {reason}")
        return chosen_recipe

    def try_recipe(self, recipe: Recipe) -> Trial:
        """How fast a recipe trains, measured for a second or two."""
        eager_recipe = replace(recipe, train=replace(recipe.train, compile=False))
        return distributed.broadcast(
            self.measure_speed(self.split_batches(eager_recipe, lambda message: None), CHOOSER_TRIAL_SECONDS)
        )

    def build_networks(self, recipe: Recipe) -> TrialNetworks:
        """Networks to measure the recipe on, as at the start of its run; the last ones, where they are the same."""
        if self.networks is None or not self.networks.belong_to(recipe):
            self.networks = None  # frees them, before others take their place
            self.networks = TrialNetworks(recipe, self.data.spec, self.seed, self.device)
        self.networks.rewind()
        return self.networks

    # ------------------------------------------------------------ memory

    def fit_to_memory(self, recipe: Recipe) -> Recipe:
        """The recipe in as many micro-batches as memory asks for, said so.

        Raises:
            GanvasError: no number of them is enough.
        """
        return self.split_batches(recipe, self.announce)

    def split_batches(self, recipe: Recipe, announce: Callable[[str], None]) -> Recipe:
        needs, world = (
            estimate_memory_needs(recipe, self.data, self.build_networks(recipe), self.seed),
            distributed.count_ranks(),
        )
        requested_count, smallest_batch = recipe.train.accumulate * world, min(need.batch for need in needs)
        if requested_count > smallest_batch // 2:
            raise GanvasError(
                f"a batch of {smallest_batch} has fewer than 2 samples for each of {requested_count} parts: --train.batch "
                f"{2 * requested_count}"
            )
        available_bytes = self.measure_available_bytes()
        candidate_counts = range(requested_count, smallest_batch // 2 + 1, world)
        fitting_count = next(
            (n for n in candidate_counts if max(need.estimate_split_bytes(n) for need in needs) <= available_bytes), None
        )
        if fitting_count is None:
            raise GanvasError(describe_lack_of_memory(needs, smallest_batch // 2, available_bytes))
        if fitting_count > requested_count:
            announce(describe_split(needs, requested_count, fitting_count // world, available_bytes))
        return replace(recipe, train=replace(recipe.train, accumulate=fitting_count // world))

    def measure_available_bytes(self) -> int:
        """Of this rank's memory what training may plan with."""
        sharing_ranks = distributed.ranks_on_this_machine() if self.device.type == "cpu" else 1
        return distributed.broadcast(int(USABLE_MEMORY_SHARE * measure_free_bytes(self.device)) // sharing_ranks)

    # ------------------------------------------------------------ time

    def turn_minutes_into_samples(self, recipe: Recipe, minutes: float, evaluator: Evaluator | None) -> Recipe:
        """The recipe with a budget in samples, and as many snapshots as its minutes allow."""
        seconds = 60 * minutes
        snapshot_seconds, drawn_samples = distributed.broadcast(self.measure_snapshot_seconds(recipe, evaluator))
        snapshots = recipe.train.snapshots or min(60, max(2, int(SNAPSHOT_TIME_SHARE * seconds / snapshot_seconds)))
        useful_seconds = max(seconds * (1 - RESERVED_TIME_SHARE) - snapshots * snapshot_seconds, 0.1 * seconds)
        trial_seconds = min(MAX_TRIAL_SECONDS, max(MIN_TRIAL_SECONDS, TRIAL_TIME_SHARE * seconds))
        trial = distributed.broadcast(self.measure_speed(recipe, trial_seconds, useful_seconds))
        card_size = limit_card_size(
            self.requested.evaluation, recipe.evaluation.card_samples, snapshot_seconds / drawn_samples, seconds
        )
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=card_size))
        batch = recipe.train.batch
        samples = max(1, int(trial.samples_per_second * useful_seconds) // batch) * batch
        self.announce(
            f"measured {trial.samples_per_second:,.0f} samples/s: {minutes:g} minutes are {samples:,} samples "
            f"({recipe.train.precision})"
        )
        return replace(recipe, train=replace(recipe.train, minutes=None, samples=samples, snapshots=snapshots))

    def measure_speed(self, recipe: Recipe, seconds: float, run_seconds: float | None = None) -> Trial:
        """How fast the recipe trains, by a few steps of each stage.

        Args:
            seconds: how long the trial takes.
            run_seconds: of the run, where they are known: stages may be of so many samples each.
        """
        recipe = replace(recipe, train=replace(recipe.train, minutes=None))
        networks = self.build_networks(recipe)
        trial_loop, seconds_by_stage = Loop(recipe, self.data, networks.state, self.seed), dict[str, float]()

        def estimate_seconds_per_sample(samples: int) -> float:
            """Seconds a sample, in a run of so many."""
            seconds_per_sample = 0.0
            stages = networks.locate_stages(replace(recipe, train=replace(recipe.train, samples=samples)))
            for clock, stage, share in stages:
                if stage.name not in seconds_by_stage:
                    networks.state.clock = clock
                    seconds_by_stage[stage.name] = measure_seconds_per_sample(trial_loop, seconds / len(stages))
                seconds_per_sample += share * seconds_by_stage[stage.name]
            return seconds_per_sample

        samples_per_second = (
            1 / estimate_seconds_per_sample(LONG_RUN_SAMPLES)
            if run_seconds is None
            else fit_samples_to_time(estimate_seconds_per_sample, run_seconds) / run_seconds
        )
        self.stage_speeds = {name: 1 / seconds for name, seconds in seconds_by_stage.items()}
        if recipe.train.compile:
            torch.compiler.reset()  # what was compiled counts towards torch's limit, and training compiles its own
        return Trial(samples_per_second=samples_per_second)

    def measure_snapshot_seconds(self, recipe: Recipe, evaluator: Evaluator | None) -> tuple[float, int]:
        """Seconds that a snapshot takes, on untrained networks in the run's last stage; of how many samples its score is."""
        networks = self.build_networks(recipe)
        stages, state = networks.locate_stages(recipe), networks.state
        if len(stages) > 1:
            state.clock, stage, _ = stages[-1]
            whole_recipe = replace(recipe, train=replace(recipe.train, accumulate=1, compile=False))
            Loop(whole_recipe, self.data, state, self.seed).train_step(stage, 2)
        nets, snapshot_started, codec = state.select_sampling_networks(), time.perf_counter(), self.data.codec
        if evaluator is not None:
            evaluator.score_snapshot(recipe.method, nets)
            codec.preview(draw_samples(recipe.method, nets, codec, codec.preview_count, self.seed))
        return time.perf_counter() - snapshot_started, 1 if evaluator is None else evaluator.sample_counts[0]

    def announce_stages(self, recipe: Recipe) -> None:
        """Say how much of the run its stages take, where there are several."""
        stages = self.build_networks(recipe).locate_stages(recipe)
        if len(stages) > 1:
            self.announce("stages: " + ", ".join(f"{stage.name} {share:.0%}" for _, stage, share in stages) + " of the samples")
        if not stages[-1][1].is_full_size:
            self.announce(
                "note: these samples do not grow the networks to their full size: --method.kimg 0 fits growing into them"
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


def count_distinct(stored: Tensor) -> int:
    """How many samples differ; where they are too many to look at, as large a share as among those looked at."""
    sample_bytes = stored[:1].nbytes
    first_rows = stored[: max(1, COPY_SEARCH_BYTES // sample_bytes)]
    digests = {hashlib.blake2b(row.numpy().tobytes(), digest_size=16).digest() for row in first_rows.cpu()}
    return round(len(digests) * len(stored) / len(first_rows))


def describe_split(needs: list[MemoryFootprint], requested_count: int, micro_batches: int, available_bytes: int) -> str:
    """Why, and into how many parts a rank's share of a batch is cut."""
    hungriest = max(needs, key=lambda need: need.estimate_split_bytes(requested_count))
    return (
        f"a batch of {hungriest.batch} needs about {_format_gigabytes(hungriest.estimate_split_bytes(requested_count))} "
        f"of memory, and {_format_gigabytes(available_bytes)} are free: it is "
        f"worked through in {micro_batches} parts, their gradients added"
    )


def describe_lack_of_memory(needs: list[MemoryFootprint], max_count: int, available_bytes: int) -> str:
    """What training needs at the least, and what there is."""
    hungriest = max(needs, key=lambda need: need.estimate_split_bytes(max_count))
    return (
        f"training needs about {_format_gigabytes(hungriest.estimate_bytes(2))} of memory even with 2 samples at a "
        f"time, and {_format_gigabytes(available_bytes)} are free: "
        "a smaller --medium.size, or smaller networks (--nets.…; ganvas train RECIPE --help)"
    )


def _format_gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f} GB"
