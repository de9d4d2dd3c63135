"""Everything that accompanies training: the progress line, reports, snapshots, checkpoints and early stops."""

import signal
import sys
import threading
import time
from math import isfinite
from types import FrameType
from typing import Any

import torch
from tqdm import tqdm

from ..evaluation.evaluator import Evaluator
from ..report.page import write_report
from ..runs.folder import RunFolder
from ..runs.state import State
from ..system.files import explain_os_errors
from .divergence import flatten_log_values
from .log import RunningMeans, stringify_nonfinite
from .slowdown import SlowdownNotice

CHECKPOINT_SECONDS = 120  # a crash loses at most this much training
SIGNAL_ECHO_SECONDS = 1.0  # a second signal within this time is torchrun's copy of the first
TIME_LIMIT_FACTOR = 1.05  # a run on minutes stops after this many times its minutes, even before its budget in samples


class Monitor:
    """The loop calls it after every step. It returns True when training should stop."""

    def __init__(self, run: RunFolder, evaluator: Evaluator, slowdown: SlowdownNotice, is_quiet: bool = False) -> None:
        self.run, self.evaluator, self.slowdown = run, evaluator, slowdown
        self.train_settings = run.recipe.train
        minutes = run.requested.train.minutes
        self.limit_seconds = 60 * minutes * TIME_LIMIT_FACTOR if minutes else None  # seconds of training
        self.best_score: float | None = None
        self.score_text = ""
        self.stop_reason = ""  # why training ended before its budget was spent
        self.is_interrupted = False
        self.nonfinite_names: list[str] = []  # names of values that are no longer finite
        self.last_report = (time.perf_counter(), 0)  # (time, samples)
        self.last_save_time = time.perf_counter()
        self.last_print_time = time.perf_counter()
        self.is_quiet = is_quiet
        self.has_live_bar = not is_quiet and sys.stderr.isatty()
        self.bar: tqdm[Any] | None = None
        self.snapshots_done = 0  # snapshots that have been due so far
        for card in run.score_cards:  # a killed run may have written a card without updating the link `best`
            folder = run.path / "checkpoints" / card["checkpoint"]
            if card["kind"] == "snapshot" and self._update_best_score(card) and folder.exists():
                run.mark_best(folder)

    def open_progress(self, state: State) -> None:
        """Before the first step, open the progress bar; in a new run, also save a picture of untrained networks' samples."""
        self.last_report = (time.perf_counter(), state.clock.samples)
        self.snapshots_done = self._count_due_snapshots(state.clock.samples)
        bar_format = "{percentage:3.0f}% |{bar:16}| {n:,.0f}/{total:,.0f} samples [{elapsed}<{remaining}, {rate_fmt}]{postfix}"
        self.bar = tqdm(
            total=state.clock.total,
            initial=state.clock.samples,
            unit="sample",
            bar_format=bar_format,
            disable=not self.has_live_bar,
            smoothing=0.05,
        )
        if state.clock.samples == 0:
            self._save_preview(state)

    def __call__(self, state: State, running_means: RunningMeans) -> bool:
        now, clock = time.perf_counter(), state.clock
        if self.bar is not None:
            self.bar.update(min(clock.samples, clock.total) - self.bar.n)
        is_done = clock.samples >= clock.total
        is_snapshot_due = self._count_due_snapshots(clock.samples) > self.snapshots_done
        is_late = self.limit_seconds is not None and state.training_seconds > self.limit_seconds
        needs_save = self.is_interrupted or now - self.last_save_time > CHECKPOINT_SECONDS
        if (
            is_done
            or is_snapshot_due
            or is_late
            or needs_save
            or now - self.last_report[0] > min(10.0, max(1.0, state.training_seconds / 300))
        ):
            self._report_progress(state, running_means, now)
        if self.nonfinite_names:  # without saving anything
            return True
        if is_snapshot_due or is_done or is_late:
            self.snapshots_done = self._count_due_snapshots(clock.samples)
            self._take_snapshot(state)
        elif needs_save:
            self.run.save_checkpoint(state)
            self.last_save_time = time.perf_counter()
            self.last_report = (self.last_save_time, clock.samples)  # time for saving does not count as training
        if is_late and not is_done:
            self.stop_reason = "time is up: the machine was slower than when its speed was measured"
        return is_done or is_late or self.is_interrupted

    def close_progress(self) -> None:
        if self.bar is not None:
            self.bar.close()

    # ------------------------------------------------------------ what is due

    def _count_due_snapshots(self, samples: int) -> int:
        """How many snapshots are due by `samples`; they are denser early, while pictures change quickly."""
        assert self.train_settings.snapshots is not None  # resolved before the first step
        snapshots = self.train_settings.snapshots
        return int(snapshots * (max(0, samples) / max(1, self.train_settings.samples or 1)) ** (2 / 3))

    # ------------------------------------------------------------ doing what is due

    def _report_progress(self, state: State, running_means: RunningMeans, now: float) -> None:
        """Read the sums back, detect values that are not finite, and write a line to the log."""
        means = running_means.read_and_reset()
        self.nonfinite_names = [name for name, value in flatten_log_values(means).items() if not isfinite(value)]
        clock, (last_time, last_samples) = state.clock, self.last_report
        seconds, samples = max(1e-9, now - last_time), clock.samples - last_samples
        samples_per_second = samples / seconds
        notice = self.slowdown.add_interval(state.stage_name, samples, seconds)
        if notice and not self.is_quiet:
            tqdm.write(notice, file=sys.stderr)  # above the progress bar, if there is one
        lr = {name: optimiser.param_groups[0]["lr"] for name, optimiser in state.optims.items()}
        head = {"samples": clock.samples, "step": clock.step, "seconds": round(state.training_seconds, 3)}
        self.run.append_line(
            "log.jsonl",
            head
            | {"samples_per_second": samples_per_second, "memory_mb": measure_peak_memory_mb()}
            | stringify_nonfinite(means)
            | {"lr": lr},
        )
        self.last_report = (time.perf_counter(), clock.samples)
        message = "  ".join(
            f"{name.removesuffix('/adversarial')} {value:.3g}" for name, value in means["terms"].items() if "adv" in name
        )
        if self.bar is not None and self.has_live_bar:
            self.bar.set_postfix_str(f"{message}{self.score_text}", refresh=False)
        elif not self.is_quiet and now - self.last_print_time > 15:
            self.last_print_time = now
            seconds_left = (clock.total - clock.samples) / max(samples_per_second, 1e-9)
            print(
                f"{clock.samples:,}/{clock.total:,} samples  {samples_per_second:,.0f}/s  {message}{self.score_text}  "
                f"{seconds_left:,.0f} s left",
                file=sys.stderr,
            )

    def _take_snapshot(self, state: State) -> None:
        """Write a picture, a score card, a checkpoint and the report.

        The checkpoint follows the picture and the card. If a kill prevents it, a resumed run removes both and makes them again.
        """
        self._save_preview(state)
        method, head = self.run.recipe.method, {"samples": state.clock.samples, "checkpoint": f"{state.clock.samples:09d}"}
        head |= {"kind": "snapshot", "grown": method.stage(state.nets, state.clock).is_full_size}
        card = head | self.evaluator.score_snapshot(method, state.select_sampling_networks())
        self.run.append_line("scores.jsonl", card)
        folder = self.run.save_checkpoint(state)
        if self._update_best_score(card):
            self.run.mark_best(folder)
        with explain_os_errors("writing the report", self.run.path):
            write_report(self.run.path)
        self.last_save_time = time.perf_counter()
        self.last_report = (self.last_save_time, state.clock.samples)  # time for snapshots does not count as training

    def _save_preview(self, state: State) -> None:
        picture = self.evaluator.draw_preview(self.run.recipe.method, state.select_sampling_networks(), self.run.seed)
        folder = self.run.path / "samples"
        with explain_os_errors("writing samples", folder):
            folder.mkdir(exist_ok=True)
            picture.save(folder / f"{state.clock.samples:09d}.png")

    def _update_best_score(self, card: dict[str, Any]) -> bool:
        """Show the score on the progress line, and return whether it is the best one so far at full resolution."""
        (name, _), n = self.evaluator.best_by, card["protocol"]["samples"]
        score = card["scores"].get(name)
        if score is None:
            return False
        self.score_text = f"  {name}({n:,}) {score:.3g}"
        is_better = card.get("grown", True) and self.evaluator.is_better(score, self.best_score)
        if is_better:
            self.best_score = score
        return is_better


class FollowerMonitor:
    """The monitor of all ranks except the first. It never stops training, because rank 0 decides for all."""

    def __init__(self) -> None:
        self.is_interrupted = False

    def open_progress(self, state: State) -> None:
        pass

    def __call__(self, state: State, running_means: RunningMeans) -> bool:
        return False

    def close_progress(self) -> None:
        pass


class InterruptHandler:
    """On Ctrl-C or SIGTERM, asks the monitor to stop at the end of the step. A second Ctrl-C stops at once."""

    def __init__(self, monitor: Monitor | FollowerMonitor) -> None:
        self.monitor = monitor
        self.last_request_time = 0.0
        self.previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.previous_handlers[number] = signal.signal(number, self._request_stop)

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous_handlers.items():
            signal.signal(number, handler)

    def _request_stop(self, signal_number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.monitor.is_interrupted and now - self.last_request_time > SIGNAL_ECHO_SECONDS:
            raise KeyboardInterrupt
        self.monitor.is_interrupted, self.last_request_time = True, now


def measure_peak_memory_mb() -> float:
    """Peak memory of the device in MB; on a CPU, of this process."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated() / 2**20
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
