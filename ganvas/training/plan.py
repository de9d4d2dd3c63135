"""Before the first step, decide what depends on data, machine and time: measure it, announce it, write it down."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ..core import Dataset
from ..data import EncodedDataset
from ..data.copies import find_first_copies
from ..data.rows import get_storage
from ..errors import GanvasError
from ..evaluation.evaluator import Evaluator
from ..evaluation.judges import describe_choice, fill_judges
from ..recipe import Facts, Recipe, Trial
from ..runs.state import State
from ..system import distributed
from ..system.device import has_bf16
from ..system.memory import measure_free_bytes
from ..system.threads import LoadMeter, choose_thread_count, list_cores, set_thread_count
from .card_size import choose_card_size, limit_card_size
from .loop import Loop
from .memory import MemoryFootprint, estimate_memory_needs
from .noise import fix_noise
from .speed import LONG_RUN_SAMPLES, fit_samples_to_time, measure_seconds_per_sample
from .trial import TrialNetworks

DEFAULT_SNAPSHOTS = 12  # for a budget in samples
SNAPSHOT_TIME_SHARE = 0.02  # snapshots may take this share of a run's minutes
MIN_REMAINING_TIME_SHARE = 0.1  # a run continues if at least this share of its minutes is left
RESERVED_TIME_SHARE = 0.03  # a run keeps this share of its minutes in reserve, in case the machine slows down
USABLE_MEMORY_SHARE = 0.85  # plan with this share of the free memory
COPY_SEARCH_BYTES = 2**30  # search this much data for copies
CHOOSER_TRIAL_SECONDS = 1.0  # length of a trial to compare recipes
MIN_TRIAL_SECONDS, TRIAL_TIME_SHARE, MAX_TRIAL_SECONDS = (
    3.0,
    0.02,
    60.0,
)  # length of a trial to plan with: shortest, share of the run's minutes, longest


class Planner:
    """Decides what depends on data, machine and time, before a run's first step.

    It builds networks once for each recipe that it tries, and keeps only the last ones.

    Args:
        requested: the recipe as the user requested it.
        data: the training set.
        seed: the run's seed.
        announce: receives a line for each decision.

    Raises:
        GanvasError: the networks cannot be built for this data.
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
        self.meter = LoadMeter()  # comes first, so that it measures while networks are built
        self.stage_speeds: dict[str, float] = {}  # the last measured samples/s, by stage name
        self.networks: TrialNetworks | None = TrialNetworks(requested, data.spec, seed, device, announce)

    def plan(self, evaluator: Evaluator | None) -> Recipe:
        """The recipe with all decisions: threads, precision, its chooser's changes, micro-batches, budget, snapshots.

        Raises:
            GanvasError: it does not fit into memory; the message suggests changes.
        """
        recipe = self.choose_judges(self.choose_precision(self.choose_threads(self.requested)))
        recipe = self.fit_to_memory(self.choose_recipe(recipe))
        card_size = choose_card_size(recipe.evaluation, recipe.train)
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=card_size))
        if recipe.train.minutes is None:
            recipe = replace(recipe, train=replace(recipe.train, snapshots=recipe.train.snapshots or DEFAULT_SNAPSHOTS))
        else:
            recipe = self.turn_minutes_into_samples(recipe, recipe.train.minutes, evaluator)
        self.announce_stages(recipe)
        return fix_noise(recipe, len(self.data), self.build_networks(recipe).state, self.announce)

    def choose_threads(self, recipe: Recipe) -> Recipe:
        """Choose and set the number of threads: as requested, else all, or fewer if the machine is busy.

        On a GPU, or with several ranks, torch's number stays.
        """
        threads, all_threads = recipe.train.threads, torch.get_num_threads()
        if threads is None and self.device.type == "cpu" and distributed.count_ranks() == 1:
            cores = len(list_cores())
            threads, other_cores = choose_thread_count(self.meter, cores)
            if threads < all_threads:
                self.announce(
                    f"the machine is busy with other work ({other_cores:.1f} of its {cores} cores): training in {threads} "
                    f"{'thread' if threads == 1 else 'threads'} is faster; --threads {all_threads} uses all"
                )
        set_thread_count(threads or all_threads)
        return replace(recipe, train=replace(recipe.train, threads=threads or all_threads))

    def choose_precision(self, recipe: Recipe) -> Recipe:
        if recipe.train.precision != "auto":
            return recipe
        return replace(recipe, train=replace(recipe.train, precision="bf16" if has_bf16(self.device) else "fp32"))

    def choose_judges(self, recipe: Recipe) -> Recipe:
        """The recipe with judges that suit the data, if it names none; announces them."""
        evaluation = fill_judges(recipe.evaluation, self.data.codec)
        if not recipe.evaluation.judges:
            self.announce(describe_choice(evaluation.judges, self.data.codec))
        return replace(recipe, evaluation=evaluation)

    def choose_recipe(self, recipe: Recipe) -> Recipe:
        """The recipe after its chooser's changes; announces the reasons."""
        if recipe.choose is None:
            return recipe
        seconds = 60 * recipe.train.minutes if recipe.train.minutes else None
        total = len(self.data) + (self.data.held_out_count if isinstance(self.data, EncodedDataset) else 0)
        distinct_samples = round(count_distinct(self.data.columns) * total / len(self.data))
        facts = Facts(total, distinct_samples, self.data.spec, str(self.device), seconds)
        chosen_recipe, reasons = recipe.choose(replace(recipe, choose=None), facts, self.try_recipe)
        for reason in reasons:
            self.announce(f"  {reason}")
        return chosen_recipe

    def try_recipe(self, recipe: Recipe) -> Trial:
        """Measure for a second or two how fast a recipe trains."""
        eager_recipe = replace(recipe, train=replace(recipe.train, compile=False))
        return distributed.broadcast(
            self.measure_speed(self.split_batches(eager_recipe, lambda message: None), CHOOSER_TRIAL_SECONDS)
        )

    def build_networks(self, recipe: Recipe) -> TrialNetworks:
        """Networks to measure the recipe on, as at the start of its run. Reuses the last ones if they are the same."""
        if self.networks is None or not self.networks.belong_to(recipe):
            self.networks = None  # frees their memory before building others
            self.networks = TrialNetworks(recipe, self.data.spec, self.seed, self.device)
        self.networks.rewind()
        return self.networks

    # ------------------------------------------------------------ memory

    def fit_to_memory(self, recipe: Recipe) -> Recipe:
        """The recipe with as many micro-batches as memory requires; announces a split.

        Raises:
            GanvasError: it does not fit with any number of micro-batches.
        """
        return self.split_batches(recipe, self.announce)

    def split_batches(self, recipe: Recipe, announce: Callable[[str], None]) -> Recipe:
        needs, world = (
            estimate_memory_needs(recipe, self.data, self.build_networks(recipe), self.seed),
            distributed.count_ranks(),
        )
        requested_count, smallest_batch = recipe.train.accumulate * world, min(need.batch for need in needs)
        most_count = max(1, smallest_batch // 2)
        if requested_count > most_count:
            raise GanvasError(
                f"a batch of {smallest_batch} has fewer than 2 samples for each of {requested_count} micro-batches: "
                f"--train.batch {2 * requested_count}"
            )
        available_bytes = self.measure_available_bytes()
        candidate_counts = range(requested_count, most_count + 1, world)
        fitting_count = next(
            (n for n in candidate_counts if max(need.estimate_split_bytes(n) for need in needs) <= available_bytes), None
        )
        if fitting_count is None:
            raise GanvasError(describe_lack_of_memory(needs, most_count, available_bytes))
        if fitting_count > requested_count:
            announce(describe_split(needs, requested_count, fitting_count // world, available_bytes))
        return replace(recipe, train=replace(recipe.train, accumulate=fitting_count // world))

    def measure_available_bytes(self) -> int:
        """Bytes of memory that this rank may plan with."""
        sharing_ranks = distributed.ranks_on_this_machine() if self.device.type == "cpu" else 1
        return distributed.broadcast(int(USABLE_MEMORY_SHARE * measure_free_bytes(self.device)) // sharing_ranks)

    # ------------------------------------------------------------ time

    def turn_minutes_into_samples(self, recipe: Recipe, minutes: float, evaluator: Evaluator | None) -> Recipe:
        """The recipe with its minutes converted to samples, and as many snapshots as the minutes allow."""
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
        """Measure with a few steps of each stage how fast the recipe trains.

        Args:
            seconds: the length of the trial.
            run_seconds: the length of the run, if known; each stage's share of the samples may depend on it.
        """
        recipe = replace(recipe, train=replace(recipe.train, minutes=None))
        networks = self.build_networks(recipe)
        trial_loop, seconds_by_stage = Loop(recipe, self.data, networks.state, self.seed), dict[str, float]()

        def estimate_seconds_per_sample(samples: int) -> float:
            """Seconds per sample in a run of this many samples."""
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
            torch.compiler.reset()  # torch limits recompilations, and training compiles again
        return Trial(samples_per_second=samples_per_second)

    def measure_snapshot_seconds(self, recipe: Recipe, evaluator: Evaluator | None) -> tuple[float, int]:
        """(Seconds per snapshot, samples per snapshot's score), measured with untrained networks in the run's last stage."""
        networks = self.build_networks(recipe)
        stages, state = networks.locate_stages(recipe), networks.state
        if len(stages) > 1:
            state.clock, stage, _ = stages[-1]
            whole_recipe = replace(recipe, train=replace(recipe.train, accumulate=1, compile=False))
            Loop(whole_recipe, self.data, state, self.seed).train_step(stage, 2)
        if evaluator is not None:
            evaluator.prepare_snapshots()  # once a run
        nets, snapshot_started = state.select_sampling_networks(), time.perf_counter()
        if evaluator is not None:
            evaluator.score_snapshot(recipe.method, nets)
            evaluator.draw_preview(recipe.method, nets, self.seed)
        return time.perf_counter() - snapshot_started, 1 if evaluator is None else evaluator.sample_counts[0]

    def announce_stages(self, recipe: Recipe) -> None:
        """Announce each stage's share of the run, if there are several stages."""
        stages = self.build_networks(recipe).locate_stages(recipe)
        if len(stages) > 1:
            self.announce("stages: " + ", ".join(f"{stage.name} {share:.0%}" for _, stage, share in stages) + " of the samples")
        if not stages[-1][1].is_full_size:
            self.announce(
                "note: this budget does not grow the networks to their full size: --method.kimg 0 fits the growth into it"
            )


def remaining_samples(minutes: float | None, batch: int, state: State) -> int:
    """How many more samples fit into the requested minutes at the measured speed, after the budget is spent; 0 for few.

    A short trial is wrong if another program slows it down: such runs once used one minute of five.
    """
    if minutes is None or state.clock.samples < state.clock.total or not state.training_seconds:
        return 0
    seconds_left = 60 * minutes * (1 - RESERVED_TIME_SHARE) - state.training_seconds
    if seconds_left < MIN_REMAINING_TIME_SHARE * 60 * minutes:
        return 0
    return int(state.clock.samples / state.training_seconds * seconds_left) // batch * batch


def count_distinct(columns: Mapping[str, Tensor]) -> int:
    """The number of different samples. For large data, an estimate from the first `COPY_SEARCH_BYTES`."""
    stored, rows = get_storage(columns, "x")
    first_rows = rows[: max(1, COPY_SEARCH_BYTES // stored[:1].nbytes)]
    first_copies = find_first_copies(stored[: int(first_rows.max()) + 1].cpu().numpy(), first_rows.numpy())
    return round(len(set(first_copies.tolist())) * len(rows) / len(first_rows))


def describe_split(needs: list[MemoryFootprint], requested_count: int, micro_batches: int, available_bytes: int) -> str:
    """Why a rank's share of a batch is split, and into how many micro-batches."""
    hungriest = max(needs, key=lambda need: need.estimate_split_bytes(requested_count))
    return (
        f"a batch of {hungriest.batch} needs about {_format_gigabytes(hungriest.estimate_split_bytes(requested_count))} "
        f"of memory, but only {_format_gigabytes(available_bytes)} are free: it is "
        f"split into {micro_batches} micro-batches, whose gradients add up"
    )


def describe_lack_of_memory(needs: list[MemoryFootprint], max_count: int, available_bytes: int) -> str:
    """The least memory that training needs, the free memory, and a remedy."""
    hungriest = max(needs, key=lambda need: need.estimate_split_bytes(max_count))
    return (
        f"training needs about {_format_gigabytes(hungriest.estimate_bytes(2))} of memory even with 2 samples at a "
        f"time, but only {_format_gigabytes(available_bytes)} are free: "
        "choose a smaller --medium.size or smaller networks (--nets.…; ganvas train RECIPE --help)"
    )


def _format_gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f} GB"
