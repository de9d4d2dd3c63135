"""Measure how long steps take, and compute how many samples fit into a time."""

import time
from collections.abc import Callable
from math import lcm

from ..system.device import wait_for_device
from .loop import Loop

LONG_RUN_SAMPLES = 10**15  # samples of a run that is long enough to have the same stages as any longer one
MIN_CYCLES, MAX_OVERRUN_FACTOR = 3, 3.0  # time at least this many cycles, unless they take this many times the seconds


def fit_samples_to_time(seconds_per_sample: Callable[[int], float], seconds: float) -> int:
    """The largest number of samples that fits into `seconds`, if the time per sample grows with that number."""
    low, high = 0, 1000
    while high < LONG_RUN_SAMPLES and high * seconds_per_sample(high) < seconds:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle * seconds_per_sample(middle) <= seconds else (low, middle)
    return max(1, low)


def measure_seconds_per_sample(trial_loop: Loop, seconds: float) -> float:
    """Seconds per sample at the state's clock. Steps with lazy phases count as often as they occur.

    Args:
        seconds: how long to time steps; at least three cycles, unless they take more than three times as long.
    """
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
        wait_for_device(trial_loop.device)
        return time.perf_counter() - step_started

    for steps in (*steps_by_due_phases.values(), *steps_by_due_phases.values()):  # to warm up
        time_step(steps[0])
    trial_started, cycle_seconds, elapsed = time.perf_counter(), list[float](), 0.0
    while elapsed <= seconds or (len(cycle_seconds) < MIN_CYCLES and elapsed <= MAX_OVERRUN_FACTOR * seconds):
        cycle_seconds.append(sum(len(steps) * time_step(steps[0]) for steps in steps_by_due_phases.values()))
        elapsed = time.perf_counter() - trial_started
    return sum(cycle_seconds) / len(cycle_seconds) / (batch * sum(map(len, steps_by_due_phases.values())))
