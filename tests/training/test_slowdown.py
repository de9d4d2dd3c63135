"""A machine that becomes busy while training: what is said, when, and how often. The clock and the load are made up."""

from pathlib import Path
from typing import Any

import pytest

from ganvas import recipes
from ganvas.system.threads import CpuTimes, LoadMeter
from ganvas.training.session import train
from ganvas.training.slowdown import SlowdownNotice
from small_recipes import small


class World:
    """Training at some speed, beside other programs."""

    def __init__(self, **settings: Any) -> None:
        self.now, self.busy, self.other_cores = 0.0, 0.0, 0.0
        meter = LoadMeter(lambda: CpuTimes(self.now, self.busy, 0.0))
        defaults = {"threads": 2, "speeds": {"": 300.0}}
        self.notice = SlowdownNotice(Path("runs/a"), **(defaults | settings), meter=meter, read_clock=lambda: self.now)

    def train(self, seconds: int, speed: int, stage: str = "") -> list[str]:
        """Reports a second apart; what was said."""
        said = []
        for _ in range(seconds):
            self.now, self.busy = self.now + 1, self.busy + self.other_cores
            said.append(self.notice.add_interval(stage, speed, 1.0))
        return [text for text in said if text]


def test_a_third_of_the_measured_speed_beside_other_work_is_said_with_a_remedy() -> None:
    world = World()
    assert world.train(20, 290) == []
    world.other_cores = 1.4
    (said,) = world.train(10, 90)
    assert said.startswith(
        "the machine is busy with other work (90 samples/s, usually 300): stop that work, or use --threads 1"
    )
    assert "ganvas train --resume runs/a --threads 1" in said


def test_it_is_said_once_in_five_minutes() -> None:
    world = World()
    world.other_cores = 2.0
    assert len(world.train(299, 20)) == 1
    assert len(world.train(20, 20)) == 1
    assert len(world.train(600, 20)) == 2


@pytest.mark.parametrize(("speed", "other_cores"), [(110, 2.0), (50, 0.1)])
def test_neither_a_little_slower_nor_slow_by_itself_is_said(speed: int, other_cores: float) -> None:
    world = World()
    world.other_cores = other_cores
    assert world.train(60, speed) == []


def test_in_one_thread_there_is_no_such_remedy() -> None:
    world = World(threads=1)
    world.other_cores = 2.0
    (said,) = world.train(10, 20)
    assert "--threads" not in said
    assert "stop that work, or wait" in said


def test_without_a_measurement_the_fastest_so_far_counts_stage_by_stage() -> None:
    """Growing networks become slow by themselves: a stage is compared with itself."""
    world = World(speeds={})
    world.other_cores = 2.0
    assert world.train(30, 1000, "4 px") == []
    assert world.train(30, 100, "8 px") == []
    (said,) = world.train(30, 30, "8 px")
    assert "30 samples/s, usually 100" in said


def test_a_single_slow_step_is_not_said() -> None:
    """A step of lazy phases, or a machine that is busy for a second."""
    world = World()
    world.other_cores = 2.0
    assert world.train(4, 20) + world.train(6, 300) == []


@pytest.mark.parametrize("is_quiet", [False, True])
def test_the_monitor_says_it_while_training(
    is_quiet: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    intervals: list[tuple[str, int, float]] = []

    def add_interval(self: SlowdownNotice, stage_name: str, samples: int, seconds: float) -> str:
        intervals.append((stage_name, samples, seconds))
        return "the machine is busy, made up"

    monkeypatch.setattr(SlowdownNotice, "add_interval", add_interval)
    recipe = small(recipes.find_recipe("grid"), samples=64)
    run = train(recipe, out=tmp_path / "run", quiet=is_quiet)
    assert ("the machine is busy, made up" in capsys.readouterr().err) == (not is_quiet)
    assert sum(samples for _, samples, _ in intervals) == 64
    assert all(seconds > 0 for _, _, seconds in intervals)
    assert len(intervals) == len(run.read_lines("log.jsonl"))
