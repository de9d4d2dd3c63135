"""Threads on a busy machine, by clocks and speeds that are made up: nothing here is timed."""

from collections.abc import Callable, Iterator

import pytest
import torch

from ganvas.system.threads import (
    CpuTimes,
    LoadMeter,
    choose_thread_count,
    compare_thread_counts,
    find_numpy_blas,
    keep_thread_count,
    list_cores,
    read_cpu_times,
    set_thread_count,
)

Burst = Callable[[int, float], tuple[int, float]]


class Machine:
    """A number of cores, of which other programs keep some busy; bursts move its clock."""

    def __init__(self, other_cores: float, speeds: dict[int, float]) -> None:
        self.other_cores, self.speeds = other_cores, speeds
        self.now, self.busy, self.own = 0.0, 0.0, 0.0
        self.bursts: list[int] = []

    def read_times(self) -> CpuTimes:
        return CpuTimes(self.now, self.busy, self.own)

    def compute(self, threads: int, seconds: float) -> None:
        self.now, self.own = self.now + seconds, self.own + threads * seconds
        self.busy += (threads + self.other_cores) * seconds

    def burst(self, threads: int, seconds: float) -> tuple[int, float]:
        self.bursts.append(threads)
        self.compute(threads, seconds)
        return round(1000 * self.speeds[threads]), seconds


@pytest.fixture
def torch_threads() -> Iterator[Callable[[int], None]]:
    with keep_thread_count():
        yield torch.set_num_threads


def choose(machine: Machine, cores: int) -> int:
    meter = LoadMeter(machine.read_times)
    machine.compute(1, 1.0)
    choice = choose_thread_count(meter, cores, machine.burst)
    assert torch.get_num_threads() == choice.threads
    return choice.threads


def test_other_programs_are_what_is_busy_without_this_one() -> None:
    machine = Machine(1.5, {})
    meter = LoadMeter(machine.read_times)
    machine.compute(2, 4.0)
    assert meter.measure_other_cores() == pytest.approx(1.5)
    machine.other_cores = 0.0
    machine.compute(2, 1.0)
    assert meter.measure_other_cores() == pytest.approx(0.0)


def test_an_idle_machine_gives_all_threads_without_a_burst(torch_threads: Callable[[int], None]) -> None:
    for other_cores in (0.0, 0.2):
        torch_threads(2)
        machine = Machine(other_cores, {})
        assert choose(machine, 2) == 2
        assert machine.bursts == []


def test_a_first_look_too_short_is_made_longer(torch_threads: Callable[[int], None]) -> None:
    torch_threads(2)
    machine = Machine(0.0, {1: 1.0})
    assert choose_thread_count(LoadMeter(machine.read_times), 2, machine.burst).threads == 2
    assert machine.bursts == [1]


@pytest.mark.parametrize(
    ("cores", "threads", "other_cores", "speeds", "chosen"),
    [
        (2, 2, 1.33, {1: 1.0, 2: 0.1}, 1),  # two busy programs on two cores
        (2, 2, 1.0, {1: 1.0, 2: 0.7}, 1),
        (2, 2, 1.0, {1: 1.0, 2: 0.9}, 2),  # they give way: fewer threads would gain next to nothing
        (2, 2, 1.0, {1: 1.0, 2: 2.0}, 2),
        (8, 8, 3.0, {1: 1.0, 5: 4.5, 8: 0.5}, 5),
        (8, 8, 40.0, {1: 1.0, 8: 0.5}, 1),
        (8, 4, 3.0, {1: 1.0}, 4),  # enough cores are free for all
        (2, 1, 1.9, {}, 1),
    ],
)
def test_a_busy_machine_gives_as_many_threads_as_cores_are_free_where_that_is_faster(
    cores: int, threads: int, other_cores: float, speeds: dict[int, float], chosen: int, torch_threads: Callable[[int], None]
) -> None:
    torch_threads(threads)
    assert choose(Machine(other_cores, speeds), cores) == chosen


def test_work_that_soon_ends_does_not_decide_for_the_whole_run(torch_threads: Callable[[int], None]) -> None:
    class Settling(Machine):
        def compute(self, threads: int, seconds: float) -> None:
            super().compute(threads, seconds)
            if self.now > 2.0:  # another program starts up beside this one
                self.other_cores, self.speeds = 0.0, {1: 1.0, 2: 1.9}

    torch_threads(2)
    assert choose(Settling(1.0, {1: 1.0, 2: 0.1}), 2) == 2


def test_speeds_are_compared_in_turn_and_no_longer_than_it_takes() -> None:
    for speed, bursts in ((0.1, [1, 2]), (0.8, [1, 2] * 3)):
        machine = Machine(1.0, {1: 1.0, 2: speed})
        assert compare_thread_counts(machine.burst, 1, 2) == pytest.approx(1 / speed)
        assert machine.bursts == bursts


def test_threads_are_set_for_torch_and_numpy_and_are_as_before_afterwards() -> None:
    blas = find_numpy_blas()

    def read() -> tuple[int, int | None]:
        return torch.get_num_threads(), blas.scipy_openblas_get_num_threads64_() if blas else None

    before = read()
    with keep_thread_count():
        for threads in (1, 2):
            set_thread_count(threads)
            assert read() == (threads, threads if blas else None)
    assert read() == before


def test_this_machine_has_times() -> None:
    first, second = read_cpu_times(), read_cpu_times()
    assert second.wall >= first.wall
    assert second.busy >= first.busy > 0
    assert second.own >= first.own > 0
    assert len(list_cores()) >= 1


def test_a_system_that_does_not_tell_counts_as_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(percpu: bool) -> list[object]:
        raise PermissionError("/proc/stat")

    monkeypatch.setattr("psutil.cpu_times", refuse)
    meter = LoadMeter()
    torch.ones(1000, 1000).sum()
    assert meter.measure_other_cores() == 0.0
