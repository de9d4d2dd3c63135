"""A run's number of threads: asked for, chosen on a busy machine, kept, and another one on resuming."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ganvas import api, cli, recipes
from ganvas.data import Files
from ganvas.errors import GanvasError
from ganvas.recipe import Recipe, Train
from ganvas.system.threads import ThreadChoice, keep_thread_count, set_thread_count
from ganvas.training import plan, resuming
from ganvas.training.loop import Loop
from small_recipes import small
from trained_runs import DATA, SHORT


def tiny(**train: Any) -> Recipe:
    recipe = small(recipes.find_recipe("dcgan"), **{"batch": 16} | train)
    return replace(recipe, data=Files(path=DATA), evaluation=replace(recipe.evaluation, samples=30, snapshot_samples=10))


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    with keep_thread_count():
        yield


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of threads at each step."""
    entries, real = list[int](), Loop.train_step

    def record(self: Loop, *arguments: Any) -> None:
        entries.append(torch.get_num_threads())
        real(self, *arguments)

    monkeypatch.setattr(Loop, "train_step", record)
    return entries


def final_tensors(path: Path) -> dict[str, torch.Tensor]:
    return load_file(path / "checkpoints" / "last" / "nets.safetensors")


def test_threads_that_are_asked_for_are_set_written_down_and_kept(tmp_path: Path, counts: list[int]) -> None:
    run = api.train(tiny(), out=tmp_path / "run", threads=2, quiet=True)
    assert set(counts) == {2}
    assert (run.requested.train.threads, run.recipe.train.threads, run.meta["environment"]["threads"]) == (2, 2, 2)
    assert torch.get_num_threads() == 1  # as before
    counts.clear()
    api.resume(run.path, samples=128, quiet=True)
    assert set(counts) == {2}


def test_a_busy_machine_is_trained_on_in_fewer_threads_and_that_is_said(
    tmp_path: Path, counts: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_thread_count(4)
    monkeypatch.setattr(plan, "choose_thread_count", lambda meter, cores: ThreadChoice(1, 2.5))
    monkeypatch.setattr(plan, "list_cores", lambda: {0, 1, 2, 3})
    run = api.train(tiny(samples=None, minutes=0.005), out=tmp_path / "run")
    said = capsys.readouterr().err
    assert "busy with other work (2.5 of its 4 cores): training in 1 thread is faster; --threads 4 uses all" in said
    assert set(counts) == {1}  # the trial as well
    assert (run.requested.train.threads, run.recipe.train.threads, run.meta["environment"]["threads"]) == (None, 1, 1)
    assert torch.get_num_threads() == 4


def test_a_run_goes_on_in_its_own_threads_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever torch would take now; and the same command finds it again."""
    real = Loop.train_step

    def interrupt(self: Loop, *arguments: Any) -> None:
        real(self, *arguments)
        if self.state.clock.step == 4 and self.recipe.train.samples == 160:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(plan, "choose_thread_count", lambda meter, cores: ThreadChoice(torch.get_num_threads(), 0.0))
    set_thread_count(2)
    api.train(tiny(samples=160), out=tmp_path / "straight", quiet=True)
    monkeypatch.setattr(Loop, "train_step", interrupt)
    with pytest.raises(KeyboardInterrupt, match="all saved"):
        api.train(tiny(samples=160), out=tmp_path / "run", quiet=True)
    monkeypatch.setattr(Loop, "train_step", real)
    set_thread_count(1)
    run = api.train(tiny(samples=160), out=tmp_path / "run", quiet=True)
    assert run.meta["environment"]["threads"] == 2
    straight, resumed = final_tensors(tmp_path / "straight"), final_tensors(tmp_path / "run")
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_other_threads_on_resuming_are_allowed_said_and_kept(
    tmp_path: Path, counts: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    api.train(tiny(), out=tmp_path / "run", threads=2, quiet=True)
    counts.clear()
    run = api.train(tiny(samples=96), out=tmp_path / "run", threads=1)
    assert "note: threads was 2, is 1: training continues, but not bit for bit" in capsys.readouterr().err
    assert set(counts) == {1}
    assert (run.requested.train.threads, run.recipe.train.threads) == (1, 1)
    set_thread_count(3)
    counts.clear()
    api.train(tiny(samples=128), out=tmp_path / "run")
    assert set(counts) == {1}
    assert "note: threads" not in capsys.readouterr().err


def test_more_threads_than_this_machine_has_cores_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api.train(tiny(), out=tmp_path / "run", threads=2, quiet=True)
    monkeypatch.setattr(resuming, "list_cores", lambda: {0})
    api.resume(tmp_path / "run", samples=96)
    assert "uses 2 threads, but this machine has 1 core: it will be slow; --threads 1" in capsys.readouterr().err


def test_threads_on_the_command_line(tmp_path: Path, counts: list[int]) -> None:
    words = ["train", "dcgan", "--data", DATA, "--out", str(tmp_path / "run"), *SHORT, "--nets.width", "4"]
    assert cli.main([*words, "--threads", "2"]) == 0
    assert set(counts) == {2}
    counts.clear()
    assert cli.main(["train", "--resume", str(tmp_path / "run"), "--samples", "96", "--threads", "1"]) == 0
    assert set(counts) == {1}


def test_no_threads_are_refused() -> None:
    with pytest.raises(GanvasError, match=r"threads.*from 1 to 1024.*got 0"):
        Train(threads=0)
