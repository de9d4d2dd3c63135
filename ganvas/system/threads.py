"""How many threads to compute in: all that torch would take, and fewer where other programs have the machine's cores.

A step of training is hundreds of parallel regions, and a region ends when its last thread does. Where another program computes
on that thread's core, the region waits for the core, which takes milliseconds in the place of microseconds. Fewer threads, each
with a core of its own, are then many times faster.
"""

import ctypes
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import torch

NOTABLE_LOAD = 0.25  # of a core: what other programs may take without being noticed
MIN_LOOK_SECONDS = 0.15  # to look at other programs for; the system counts in hundredths of a second
LOOK_SECONDS = (0.15, 1.0)  # work that ends within a second must not decide for the whole run
BURST_SECONDS, BURST_ROUNDS = 0.06, 3
MIN_GAIN = 1.3  # times as fast as all threads: what fewer have to be
DECISIVE_GAIN = 3.0  # that needs no second look
UNUSED_TIMES = {"idle", "iowait", "guest", "guest_nice"}  # no computing, or counted elsewhere (guests in "user")


class CpuTimes(NamedTuple):
    """Seconds so far: on the clock, computed by the cores that are open to this process, and of these by this process."""

    wall: float
    busy: float
    own: float


def read_cpu_times() -> CpuTimes:
    """Where the system does not tell (in some containers), all that is computed counts as this process's."""
    wall, own = time.perf_counter(), time.process_time()
    try:
        cores, times = list_cores(), psutil.cpu_times(percpu=True)
    except (OSError, RuntimeError):
        return CpuTimes(wall, own, own)
    open_times = [core_times for core, core_times in enumerate(times) if core in cores] or times
    busy = sum(seconds for core in open_times for name, seconds in core._asdict().items() if name not in UNUSED_TIMES)
    return CpuTimes(wall, busy, own)


def list_cores() -> set[int]:
    """The cores that are open to this process."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


class LoadMeter:
    """How many cores other programs keep busy."""

    def __init__(self, read_times: Callable[[], CpuTimes] = read_cpu_times) -> None:
        self.read_times, self.last = read_times, read_times()

    def measure_other_cores(self) -> float:
        """Cores that other programs kept busy on average, since the last call."""
        now, last = self.read_times(), self.last
        self.last = now
        return max(0.0, (now.busy - last.busy - (now.own - last.own)) / max(1e-9, now.wall - last.wall))

    @property
    def seconds(self) -> float:
        """Since the last call."""
        return self.read_times().wall - self.last.wall


@torch.no_grad()
def run_burst(threads: int, seconds: float, samples: int) -> tuple[int, float]:
    """(How often a small convolution was computed, in how many seconds), in so many threads."""
    torch.set_num_threads(threads)
    x, weight = torch.ones(samples, 32, 16, 16), torch.ones(32, 32, 3, 3)
    started, count, elapsed = time.perf_counter(), 0, 0.0
    while elapsed < seconds:
        torch.conv2d(x, weight).relu_()
        count, elapsed = count + 1, time.perf_counter() - started
    return count, elapsed


class ThreadChoice(NamedTuple):
    """How many threads to compute in, and how many cores other programs keep busy."""

    threads: int
    other_cores: float


def choose_thread_count(
    meter: LoadMeter, cores: int, burst: Callable[[int, float], tuple[int, float]] | None = None
) -> ThreadChoice:
    """All threads on a machine that is not busy, which costs nothing to find out; else fewer, if that proves to be faster.

    Args:
        meter: which has watched for a while already.
        cores: that are open to this process.
        burst: takes a number of threads and seconds; in place of `run_burst`.
    """
    threads = torch.get_num_threads()
    burst = burst or partial(run_burst, samples=8 * threads)
    if threads > 1 and meter.seconds < MIN_LOOK_SECONDS:
        burst(1, MIN_LOOK_SECONDS)
    other_cores = meter.measure_other_cores()
    if threads == 1 or other_cores < cores - threads + NOTABLE_LOAD:
        torch.set_num_threads(threads)
        return ThreadChoice(threads, other_cores)
    choice = threads
    for seconds in LOOK_SECONDS:
        burst(1, seconds)  # with all but one core left to them, others take what they want
        other_cores = meter.measure_other_cores()
        choice = max(1, int(cores - other_cores + NOTABLE_LOAD))
        if choice >= threads or compare_thread_counts(burst, choice, threads) < MIN_GAIN:
            choice = threads
            break
    torch.set_num_threads(choice)
    return ThreadChoice(choice, other_cores)


def compare_thread_counts(burst: Callable[[int, float], tuple[int, float]], fewer: int, more: int) -> float:
    """How many times as fast `fewer` threads are as `more`, by short bursts in turn."""
    counts, seconds, gain = [0, 0], [0.0, 0.0], 1.0
    for _ in range(BURST_ROUNDS):
        for side, threads in enumerate((fewer, more)):
            count, elapsed = burst(threads, BURST_SECONDS)
            counts[side], seconds[side] = counts[side] + count, seconds[side] + elapsed
        gain = (counts[0] / seconds[0]) / (counts[1] / seconds[1])
        if gain > DECISIVE_GAIN:
            break
    return gain


def set_thread_count(threads: int) -> None:
    """For torch, and for numpy, which scores are computed with."""
    torch.set_num_threads(threads)
    if blas := find_numpy_blas():
        blas.scipy_openblas_set_num_threads64_(threads)


@cache
def find_numpy_blas() -> ctypes.CDLL | None:
    """What numpy multiplies matrices with, where it came in numpy's own package; another one takes its threads as it likes."""
    for path in Path(np.__file__).parents[1].glob("numpy.libs/*openblas64_*"):
        blas = ctypes.CDLL(str(path))  # the one that is loaded already
        if hasattr(blas, "scipy_openblas_set_num_threads64_"):
            return blas
    return None


@contextmanager
def keep_thread_count() -> Generator[None]:
    """Whatever number of threads is set within, afterwards it is as before."""
    threads, blas = torch.get_num_threads(), find_numpy_blas()
    blas_threads = blas.scipy_openblas_get_num_threads64_() if blas else 0
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if blas:
            blas.scipy_openblas_set_num_threads64_(blas_threads)
