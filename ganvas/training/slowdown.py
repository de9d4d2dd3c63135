"""Notice that other programs slow training down, and suggest a remedy."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..system.threads import NOTABLE_LOAD, LoadMeter

SLOW_SHARE = 1 / 3  # training is slow below this share of a stage's usual speed
WINDOW_SECONDS = 10.0  # compare the speed over this time: long enough for lazy phases to even out
NOTICE_SECONDS = 300.0  # shortest time between two notices


class SlowdownNotice:
    """Builds a notice if training is slow while other programs compute.

    Args:
        run_path: the run's folder, for the advice.
        threads: the number of threads that training uses.
        speeds: samples/s by stage name, where measured before training; the fastest window during training replaces them.
        meter: measures the load of other programs.
        read_clock: returns the time in seconds.
    """

    def __init__(
        self,
        run_path: Path,
        threads: int,
        speeds: Mapping[str, float],
        meter: LoadMeter | None = None,
        read_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run_path, self.threads, self.read_clock = run_path, threads, read_clock
        self.meter = meter or LoadMeter()
        self.usual_speeds = dict(speeds)
        self.last_notice_time: float | None = None
        self.stage_name, self.samples, self.seconds = "", 0, 0.0  # of the current window

    def add_interval(self, stage_name: str, samples: int, seconds: float) -> str | None:
        """Record that training on `samples` took `seconds`. Returns the notice, or None if there is nothing to say."""
        if stage_name != self.stage_name:
            self._start_window(stage_name)
        self.samples, self.seconds = self.samples + samples, self.seconds + seconds
        if self.seconds < WINDOW_SECONDS:
            return None
        speed, other_cores = self.samples / self.seconds, self.meter.measure_other_cores()
        usual_speed = self.usual_speeds[stage_name] = max(self.usual_speeds.get(stage_name, 0.0), speed)
        self._start_window(stage_name)
        if speed >= SLOW_SHARE * usual_speed or other_cores < NOTABLE_LOAD or self._has_spoken_lately():
            return None
        self.last_notice_time = self.read_clock()
        advice = f"stop that work, or use --threads 1 (Ctrl-C, then: ganvas train --resume {self.run_path} --threads 1)"
        return f"the machine is busy with other work ({speed:,.0f} samples/s, usually {usual_speed:,.0f}): " + (
            advice if self.threads > 1 else "stop that work, or wait"
        )

    def _start_window(self, stage_name: str) -> None:
        self.stage_name, self.samples, self.seconds = stage_name, 0, 0.0

    def _has_spoken_lately(self) -> bool:
        return self.last_notice_time is not None and self.read_clock() - self.last_notice_time < NOTICE_SECONDS
