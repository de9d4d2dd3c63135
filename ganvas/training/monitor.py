"""What happens beside training: the progress line, reports, snapshots, checkpoints, and the reasons to stop early."""

import signal
import sys
import threading
import time
from math import isfinite
from types import FrameType
from typing import Any

import torch
from tqdm import tqdm

from ..core import Codec
from ..evaluation.evaluator import Judge
from ..report.page import write_report
from ..runs.folder import Run
from ..runs.state import State
from ..sampling.stream import sample
from ..system.files import explained
from .divergence import values
from .log import Tally, line

CHECKPOINT_SECONDS = 120  # at most so much training is lost to a crash
ECHO = 1.0  # seconds within which a second signal is torchrun's copy of the first
GRACE = 1.05  # a run on minutes stops at this share of them, whatever its budget in images


class Watch:
    """Called by the loop after every step; says True when training should stop."""

    def __init__(self, run: Run, codec: Codec, judge: Judge, quiet: bool = False) -> None:
        self.run, self.codec, self.judge = run, codec, judge
        self.train = run.recipe.train
        minutes = run.asked.train.minutes
        self.limit = 60 * minutes * GRACE if minutes else None  # seconds of training
        self.best: float | None = None
        self.score = ""
        self.stopped = ""  # why training ended before its budget was spent
        self.interrupted = False
        self.diverged: list[str] = []  # what was no longer finite, if anything
        self.reported = (time.perf_counter(), 0)  # when, at how many images
        self.saved = time.perf_counter()
        self.shown = time.perf_counter()
        self.quiet = quiet
        self.live = not quiet and sys.stderr.isatty()
        self.bar: tqdm[Any] | None = None
        self.marked = 0  # snapshots that were due so far
        for card in run.scores:  # a kill may have come between a card and the link that it earned
            folder = run.path / "checkpoints" / card["checkpoint"]
            if card["kind"] == "snapshot" and self._remember(card) and folder.exists():
                run.mark_best(folder)

    def begin(self, state: State) -> None:
        """Before the first step: the bar, and at the very start a picture of what untrained networks make."""
        self.reported = (time.perf_counter(), state.clock.images)
        self.marked = self._marks(state.clock.images)
        shape = "{percentage:3.0f}% |{bar:16}| {n:,.0f}/{total:,.0f} images [{elapsed}<{remaining}, {rate_fmt}]{postfix}"
        self.bar = tqdm(
            total=state.clock.total,
            initial=state.clock.images,
            unit="img",
            bar_format=shape,
            disable=not self.live,
            smoothing=0.05,
        )
        if state.clock.images == 0:
            self._picture(state)

    def __call__(self, state: State, tally: Tally) -> bool:
        now, clock = time.perf_counter(), state.clock
        if self.bar is not None:
            self.bar.update(min(clock.images, clock.total) - self.bar.n)
        done = clock.images >= clock.total
        due = self._marks(clock.images) > self.marked
        late = self.limit is not None and state.seconds > self.limit
        saving = self.interrupted or now - self.saved > CHECKPOINT_SECONDS
        if done or due or late or saving or now - self.reported[0] > min(10.0, max(1.0, state.seconds / 300)):
            self._report(state, tally, now)
        if self.diverged:  # and nothing of it is kept
            return True
        if due or done or late:
            self.marked = self._marks(clock.images)
            self._snapshot(state)
        elif saving:
            self.run.save(state)
            self.saved = time.perf_counter()
        if late and not done:
            self.stopped = "time is up: the machine was slower than when its speed was measured"
        return done or late or self.interrupted

    def end(self) -> None:
        if self.bar is not None:
            self.bar.close()

    # ------------------------------------------------------------ what is due

    def _marks(self, images: int) -> int:
        """Snapshots due by `images`; closer together early, while pictures change quickly."""
        assert self.train.snapshots is not None  # settled before the first step
        snapshots = self.train.snapshots
        return int(snapshots * (max(0, images) / max(1, self.train.images or 1)) ** (2 / 3))

    # ------------------------------------------------------------ doing it

    def _report(self, state: State, tally: Tally, now: float) -> None:
        """Read the sums back, notice what is not finite, write a line."""
        means = tally.read()
        self.diverged = [name for name, value in values(means).items() if not isfinite(value)]
        clock, (then, images) = state.clock, self.reported
        rate = (clock.images - images) / max(1e-9, now - then)
        lr = {name: optimiser.param_groups[0]["lr"] for name, optimiser in state.optims.items()}
        head = {"images": clock.images, "step": clock.step, "seconds": round(state.seconds, 3)}
        self.run.append("log.jsonl", head | {"images_per_second": rate, "memory_mb": memory_mb()} | line(means) | {"lr": lr})
        self.reported = (time.perf_counter(), clock.images)
        words = "  ".join(
            f"{name.removesuffix('/adversarial')} {value:.3g}" for name, value in means["terms"].items() if "adv" in name
        )
        if self.bar is not None and self.live:
            self.bar.set_postfix_str(f"{words}{self.score}", refresh=False)
        elif not self.quiet and now - self.shown > 15:
            self.shown = now
            left = (clock.total - clock.images) / max(rate, 1e-9)
            print(
                f"{clock.images:,}/{clock.total:,} images  {rate:,.0f}/s  {words}{self.score}  {left:,.0f} s left",
                file=sys.stderr,
            )

    def _snapshot(self, state: State) -> None:
        """A picture, a score, a checkpoint, the report.

        The checkpoint comes after the others: what a kill leaves without one is cut back and made again.
        """
        self._picture(state)
        method, head = self.run.recipe.method, {"images": state.clock.images, "checkpoint": f"{state.clock.images:09d}"}
        head |= {"kind": "snapshot", "grown": method.stage(state.nets, state.clock).grown}
        card = head | self.judge.snapshot(method, state.sampled())
        self.run.append("scores.jsonl", card)
        folder = self.run.save(state)
        if self._remember(card):
            self.run.mark_best(folder)
        with explained("writing the report", self.run.path):
            write_report(self.run.path)
        self.saved = time.perf_counter()
        self.reported = (self.saved, state.clock.images)  # a snapshot's time is not training's

    def _picture(self, state: State) -> None:
        stored = sample(self.run.recipe.method, state.sampled(), self.codec, self.codec.shown, self.run.seed)
        folder = self.run.path / "samples"
        with explained("writing samples", folder):
            folder.mkdir(exist_ok=True)
            self.codec.preview(stored).save(folder / f"{state.clock.images:09d}.png")

    def _remember(self, card: dict[str, Any]) -> bool:
        """Whether this is the best score so far of networks that are grown; keeps it for the progress line."""
        name, n = self.judge.first, card["protocol"]["samples"]
        score = card["scores"].get(name)
        if score is None:
            return False
        self.score = f"  {name}({n:,}) {score:.3g}"
        better = card.get("grown", True) and self.judge.better(score, self.best)
        if better:
            self.best = score
        return better


class Follow:
    """The watch of every rank but the first, which decides for all."""

    def __init__(self) -> None:
        self.interrupted = False

    def begin(self, state: State) -> None:
        pass

    def __call__(self, state: State, tally: Tally) -> bool:
        return False

    def end(self) -> None:
        pass


class Interrupts:
    """Turns Ctrl-C and SIGTERM into a request that the watch answers at the end of the step; a second Ctrl-C is immediate."""

    def __init__(self, watch: Watch | Follow) -> None:
        self.watch = watch
        self.asked = 0.0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._ask)

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.watch.interrupted and now - self.asked > ECHO:
            raise KeyboardInterrupt
        self.watch.interrupted, self.asked = True, now


def memory_mb() -> float:
    """Peak memory of the device, or of this process on a CPU."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated() / 2**20
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
