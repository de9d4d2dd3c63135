"""A whole training session, from the request to the last score card."""

from collections.abc import Generator as Yields
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from .. import recipes
from ..configuration import from_json, to_json
from ..core import Dataset, Reconstructor
from ..data.held_out import HELD_OUT_KEY
from ..data.stored_frames import locate_data
from ..errors import GanvasError
from ..evaluation.evaluator import Evaluator
from ..evaluation.exhibits import collect_exhibits
from ..evaluation.reconstructions import can_reconstruct, reconstruct_held_out
from ..recipe import Recipe
from ..report.page import write_report
from ..runs import checkpoint as checkpoints
from ..runs.exhibits import write_exhibits
from ..runs.folder import RunFolder, lock_run, save_codec
from ..runs.state import State
from ..system import distributed
from ..system.console import print_status
from ..system.device import choose_device, describe_machine
from ..system.threads import keep_thread_count, set_thread_count
from . import divergence
from .account import find_open_minutes, limit_budget, open_account, refuse_longer_promise
from .loop import Loop
from .mixture_start import start_from_mixture
from .monitor import FollowerMonitor, InterruptHandler, Monitor
from .plan import Planner, remaining_samples
from .preparation import place_on_device, prepare_data_and_evaluator, prepare_run
from .release import load_release, release_once
from .resuming import (
    extend_budget,
    list_environment_changes,
    refuse_difference,
    refuse_other_conditions,
    replace_budget,
    replace_data,
    replace_threads,
)
from .slowdown import SlowdownNotice
from .start import fresh_state, initial_state
from .tasks import choose_columns, choose_recipe, degrade_pictures
from .transfer import start_recipe_from_run


def train(
    recipe: str | Recipe | None = None,
    *,
    source: str | Path | RunFolder | None = None,
    freeze_d: int = 0,
    data: Any = None,
    out: str | Path | None = None,
    minutes: float | None = None,
    samples: int | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    degrade: str | None = None,
    target: str | None = None,
    window: int | None = None,
    key: str | None = None,
    time: str | None = None,
    together: str | Sequence[str] | None = None,
    quiet: bool = False,
) -> RunFolder:
    """Train a new run, or resume a stopped one: the same call on the same folder continues it exactly.

    Args:
        recipe: a recipe's name, or a Recipe; None is the source's recipe, or follows from the data: "auto", "translator" for A/
            and B/ with the same names, "unpaired_translator" for others, a restoring one with `degrade`.
        source: a run to copy the networks from, for other data. Pictures are augmented with DiffAugment, unless the recipe
            has an augmentation or is not a game of G and D.
        freeze_d: with a source, how many of D's layers to freeze, starting at the image.
        data: a folder, zip, idx, npz, npy, parquet or CIFAR file, "fashion", or a table; None takes the recipe's data. Also a
            frame: anything with an Arrow stream (pandas, polars, DuckDB), a database's cursor after its `execute`, or a
            dictionary of columns. A frame is stored in the cache, so that the run resumes without it.
        out: the run's folder; None is runs/NAME.
        minutes, samples: the budget, in minutes of training without start-up, or in samples seen.
        threads: number of CPU threads; None is all, or fewer if the machine is busy with other work.
        degrade: learn to undo this: "x4", "gray", "jpeg+noise+blur", "mask"; sources are made from the pictures.
        target: of a table, the column that others are to predict, for scores.
        window: learn time series from a table: a sample is so many rows that follow each other.
        key, time: of series, the column that names the station or person, and that to sort by; None: one series, in order.
        together: columns to make at once: "image,class" or "image,attributes".
        quiet: print nothing.

    Raises:
        GanvasError: what is wrong, where, and how to put it right.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with everything saved.
    """
    data = locate_data(data)
    if recipe is None and source is None:
        recipe = "series" if any((window, key, time)) else "together" if together else None
    resolved = resolve_recipe(recipe, source, freeze_d, data, degrade, is_quiet=quiet)
    resolved = replace_data(choose_columns(resolved, target, window, key, time, together), data)
    requested = replace_threads(replace_budget(resolved, minutes, samples), threads)
    from_json(to_json(requested))  # refuses a recipe that cannot be read back, before anything is written
    path = Path(out) if out is not None else Path("runs") / requested.name
    refuse_other_files(path)
    with distributed.join_ranks(), lock_run_for_all_ranks(path), keep_thread_count():
        compute_device, quiet = choose_device(distributed.local_device_name(device)), quiet or not distributed.is_main_process()
        if distributed.broadcast(RunFolder.is_run_folder(path)):
            run = RunFolder(path)
            refuse_difference(run, requested, seed)
            budget = requested.train
            return _resume_locked(run, budget.minutes, budget.samples, budget.threads, compute_device, quiet)
        return _train_anew(requested, path, seed, compute_device, quiet)


def refuse_other_files(path: Path) -> None:
    """Raises GanvasError for a folder that holds files, and no run."""
    names = [file.name for file in path.iterdir()] if path.is_dir() and not RunFolder.is_run_folder(path) else []
    if any(name[0] != "." and name != "codec.json" for name in names):
        raise GanvasError(f"{path} holds files that are not a run: choose a new folder with --out")


def _train_anew(requested: Recipe, path: Path, seed: int, device: torch.device, is_quiet: bool) -> RunFolder:
    """`train` in an empty folder; the caller holds the lock."""
    if requested.train.threads is not None:
        set_thread_count(requested.train.threads)
    plan = prepare_run(requested, seed, device, is_quiet)
    training_set, resolved = plan.training_set, plan.resolved
    total = len(training_set) + training_set.held_out_count
    data_summary = {
        "title": training_set.title,
        "count": total,
        "held_out": training_set.held_out_count,
        "skipped": training_set.skipped_count,
        "fingerprint": training_set.fingerprint,
        "held_out_key": HELD_OUT_KEY,
        "conditions": to_json(training_set.conditions),
    }
    if distributed.is_main_process():
        save_codec(path, training_set.codec)  # first: recipe.json makes the folder a run
    run = write_run_settings(path, resolved, requested, seed, data_summary, describe_environment(device))
    release_once(run, training_set, is_quiet)
    state = initial_state(resolved, training_set.spec, seed, device)
    load_release(run, state)
    sentence = start_from_mixture(state, training_set, seed)
    print_status(is_quiet or not sentence, sentence)
    notice = build_slowdown_notice(path, device, plan.stage_speeds)
    return _train_with_recovery(run, state, plan.placed_data, plan.evaluator, notice, is_quiet)


def resolve_recipe(
    recipe: str | Recipe | None,
    source: str | Path | RunFolder | None,
    freeze_d: int,
    data: str | Path | None = None,
    degrade: str | None = None,
    is_quiet: bool = True,
) -> Recipe:
    """The requested recipe, or the data's; then says so. Raises GanvasError for an unknown name, or `freeze_d` alone."""
    if source is not None:
        return start_recipe_from_run(source if isinstance(source, RunFolder) else RunFolder(source), recipe, freeze_d)
    if isinstance(recipe, Recipe):
        return recipe
    if freeze_d:
        raise GanvasError("--freeze-d keeps what D has learned in another run: give the run with --from")
    if recipe is not None:
        named_recipe = recipes.find_recipe(recipe)
        return named_recipe if degrade is None else degrade_pictures(named_recipe, degrade)
    default_recipe, sentence = choose_recipe(data, degrade)
    print_status(is_quiet or not sentence, sentence)
    return default_recipe


def resume(
    path: str | Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    device: str = "auto",
    threads: int | None = None,
    quiet: bool = False,
) -> RunFolder:
    """Continue a run exactly where it stopped. Its budget may grow; another number of threads makes it inexact.

    Raises:
        GanvasError: no run, a smaller budget, a damaged checkpoint, or another training in the folder.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with everything saved.
    """
    run = RunFolder(path)
    with distributed.join_ranks(), lock_run_for_all_ranks(run.path), keep_thread_count():
        return _resume_locked(
            run,
            minutes,
            samples,
            threads,
            choose_device(distributed.local_device_name(device)),
            quiet or not distributed.is_main_process(),
        )


def _resume_locked(
    run: RunFolder, minutes: float | None, samples: int | None, threads: int | None, device: torch.device, is_quiet: bool
) -> RunFolder:
    """`resume`; the caller holds the lock."""
    refuse_longer_promise(run, minutes, samples)
    requested, resolved = extend_budget(run, minutes, samples)
    last_samples = int(run.checkpoints[-1].name) if run.checkpoints else 0
    if last_samples >= (resolved.train.samples or 0) and any("best" in card.get("which", "") for card in run.score_cards):
        print_status(is_quiet, f"{run.path} is finished: {last_samples:,} samples; ask for more with --minutes or --samples")
        return run
    run_threads = threads or run.recipe.train.threads or int(run.meta["environment"].get("threads", 1))
    requested, resolved = replace_threads(requested, threads), replace_threads(resolved, run_threads)
    set_thread_count(run_threads)
    _, training_set, _, evaluator = prepare_data_and_evaluator(resolved, run.read_codec(), device, run.held_out_key)
    refuse_other_conditions(run, training_set)
    current_environment = describe_environment(device)
    for difference in list_environment_changes(run, resolved, current_environment, training_set, device):
        print_status(is_quiet, f"note: {difference}")
    ranks = int(run.meta["environment"].get("ranks", 1))
    is_longer = (resolved.train.samples or 0) > (run.recipe.train.samples or 0)  # it may reach a stage that needs more memory
    if ranks != distributed.count_ranks() or is_longer:
        micro_batches = -(-resolved.train.accumulate * ranks // distributed.count_ranks())
        settings = replace(resolved.train, accumulate=micro_batches)
        unlinked_recipe = replace(resolved, train=settings, start=None)  # a resumed run no longer needs its source run
        planner = Planner(unlinked_recipe, training_set, run.seed, device, partial(print_status, is_quiet))
        resolved = replace(resolved, train=planner.fit_to_memory(unlinked_recipe).train)
        del planner
    run = write_run_settings(run.path, resolved, requested, run.seed, run.meta["data"], current_environment)
    release_once(run, training_set, is_quiet)  # if it was stopped before
    state = restore_state(run, device, training_set)
    print_status(is_quiet, f"continuing {run.path} at {state.clock.samples:,} of {state.clock.total:,} samples")
    slowdown = build_slowdown_notice(run.path, device, {})
    return _train_with_recovery(run, state, place_on_device(training_set, device), evaluator, slowdown, is_quiet)


def build_slowdown_notice(path: Path, device: torch.device, speeds: Mapping[str, float]) -> SlowdownNotice:
    """The notice that the machine is busy. On a GPU it does not suggest fewer threads."""
    return SlowdownNotice(path, torch.get_num_threads() if device.type == "cpu" else 1, speeds)


def describe_environment(device: torch.device) -> dict[str, str | int]:
    """Facts about the machine that exact resume depends on."""
    return describe_machine(device) | {"ranks": distributed.count_ranks()}


@contextmanager
def lock_run_for_all_ranks(path: Path) -> Yields[None]:
    """Lock the run's folder; rank 0 does so for all ranks."""
    with lock_run(path) if distributed.is_main_process() else nullcontext():
        yield


def write_run_settings(
    path: Path, resolved: Recipe, requested: Recipe, seed: int, data: Mapping[str, Any], environment: Mapping[str, Any]
) -> RunFolder:
    """Write the run's settings, on rank 0, and return the run."""
    with distributed.rank_zero_first():
        return (
            RunFolder.write_settings(path, resolved, requested, seed, data, environment)
            if distributed.is_main_process()
            else RunFolder(path)
        )


def restore_state(run: RunFolder, device: torch.device, data: Dataset) -> State:
    """The state in the run's last checkpoint, or its first state. Discards everything that was written since."""
    state = (fresh_state if run.checkpoints else initial_state)(run.recipe, run.read_spec(), run.seed, device)
    if run.checkpoints:
        checkpoints.load_checkpoint(run.checkpoints[-1], state, total_samples=run.recipe.train.samples)
    else:
        load_release(run, state)
        start_from_mixture(state, data, run.seed)
    if distributed.is_main_process():
        run.discard_after(state.clock.samples)
    return state


# ---------------------------------------------------------------- the loop and recovery


def _train_with_recovery(
    run: RunFolder, state: State, data: Dataset, evaluator: Evaluator | None, slowdown: SlowdownNotice, is_quiet: bool
) -> RunFolder:
    """Train until the budget is spent, with lower learning rates after each NaN; then write the final score cards."""
    while True:
        if nonfinite_names := distributed.broadcast(_train_until_stopped(run, state, data, evaluator, slowdown, is_quiet)):
            run = _restart_with_lower_rates(run, nonfinite_names, is_quiet)
            seconds_spent, state = state.training_seconds, restore_state(run, next(state.nets.parameters()).device, data)
            state.training_seconds = seconds_spent  # the lost time counts towards the minutes
        elif extra_samples := distributed.broadcast(remaining_samples(find_open_minutes(run), run.recipe.train.batch, state)):
            run = _lengthen_budget(run, state, extra_samples, is_quiet)
        else:
            break
    if evaluator is not None:
        _write_final_cards(run, state, evaluator)
    return RunFolder(run.path)


def _train_until_stopped(
    run: RunFolder, state: State, data: Dataset, evaluator: Evaluator | None, slowdown: SlowdownNotice, is_quiet: bool
) -> list[str]:
    """Train until the budget is spent, time is up, or a value is not finite. Returns the names of such values."""
    account = open_account(run, len(data))
    if account is not None:
        run = limit_budget(run, state, account, is_quiet)
    monitor = Monitor(run, evaluator, slowdown, is_quiet) if evaluator is not None else FollowerMonitor()
    with InterruptHandler(monitor):
        monitor.open_progress(state)
        try:
            Loop(run.recipe, data, state, run.seed, account).train_to_budget(monitor)
        finally:
            if account is not None:
                account.close()
            monitor.close_progress()
    if distributed.broadcast(monitor.is_interrupted and not (isinstance(monitor, Monitor) and monitor.nonfinite_names)):
        raise KeyboardInterrupt(
            f"stopped at {state.clock.samples:,} samples, all saved; go on with: ganvas train --resume {run.path}"
        )
    if not isinstance(monitor, Monitor):
        return []
    if monitor.stop_reason:  # lower the budget to what the time allowed, so that the same command finds a finished run
        print_status(is_quiet, f"stopped at {state.clock.samples:,} of {state.clock.total:,} samples: {monitor.stop_reason}")
        reached_recipe = replace(run.recipe, train=replace(run.recipe.train, samples=state.clock.samples))
        RunFolder.write_settings(run.path, reached_recipe, run.requested, run.seed, run.meta["data"], run.meta["environment"])
    return monitor.nonfinite_names


def _restart_with_lower_rates(run: RunFolder, nonfinite_names: list[str], is_quiet: bool) -> RunFolder:
    """The run with half the learning rates. Raises GanvasError with a diagnosis after too many halvings."""
    recipe = divergence.halve_learning_rates(run.requested, run.recipe)
    if recipe is None:
        raise GanvasError(
            divergence.diagnose_divergence(nonfinite_names, run.read_lines("log.jsonl"), run.recipe.train.precision)
        )
    restart_point = f"checkpoint {run.checkpoints[-1].name}" if run.checkpoints else "the start"
    print_status(
        is_quiet,
        f"{', '.join(nonfinite_names)} no longer finite: back to {restart_point} with {recipe.train.lr_scale:g} times "
        "the learning rates",
    )
    return write_run_settings(run.path, recipe, run.requested, run.seed, run.meta["data"], run.meta["environment"])


def _lengthen_budget(run: RunFolder, state: State, extra_samples: int, is_quiet: bool) -> RunFolder:
    """The run with a larger budget, because it was faster than measured; also updates the clock in `state`."""
    total_samples = state.clock.samples + extra_samples
    print_status(
        is_quiet,
        f"{state.clock.samples:,} samples took {state.training_seconds:,.0f} s: there is time for {extra_samples:,} more",
    )
    state.clock = state.clock._replace(total=total_samples)
    recipe = replace(run.recipe, train=replace(run.recipe.train, samples=total_samples))
    return write_run_settings(run.path, recipe, run.requested, run.seed, run.meta["data"], run.meta["environment"])


def _write_final_cards(run: RunFolder, state: State, evaluator: Evaluator) -> None:
    """Score the last checkpoint and the best one, if they differ. Then write the cards, and exhibits of the best."""
    last_folder, best_folder = run.find_checkpoint("last"), run.find_checkpoint("best")
    method, cards = run.recipe.method, list[dict[str, Any]]()
    for folder, which in (
        ((last_folder, "last"), (best_folder, "best")) if last_folder != best_folder else ((last_folder, "last, best"),)
    ):
        checkpoints.load_nets(folder, state)
        head = {"samples": int(folder.name), "checkpoint": folder.name, "kind": "final", "which": which}
        nets = state.select_sampling_networks()
        cards.append(head | evaluator.score_final(method, nets))
        if isinstance(method, Reconstructor) and can_reconstruct(evaluator, method, nets):
            _, psnr = reconstruct_held_out(evaluator, method, nets)
            cards[-1] |= {"reconstruction_psnr": psnr, "reconstructed": evaluator.data_metadata["held_out"]}  # dB
    for card in cards:
        run.append_line("scores.jsonl", card)
    # the best checkpoint was loaded last
    write_exhibits(run.path, collect_exhibits(evaluator, method, state.select_sampling_networks()))
    write_report(run.path)
