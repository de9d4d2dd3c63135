"""Memory before the first step: what the estimate counts, and what happens where it does not fit."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ganvas import recipes
from ganvas.core import Stage
from ganvas.errors import GanvasError
from ganvas.recipe import Recipe
from ganvas.runs.state import build_state
from ganvas.system.memory import read_cgroup_allowance
from ganvas.training import memory, plan, speed
from ganvas.training.loop import Loop
from ganvas.training.memory import MemoryFootprint, estimate_memory_needs
from ganvas.training.plan import Planner
from ganvas.training.trial import TrialNetworks
from small_recipes import noise, small

CPU = torch.device("cpu")


def estimate(recipe: Recipe) -> list[MemoryFootprint]:
    data = noise(recipe)
    return estimate_memory_needs(recipe, data, TrialNetworks(recipe, data.spec, 0, CPU), 0)


def planner(recipe: Recipe) -> Planner:
    return Planner(recipe, noise(recipe), 0, CPU, print)


def test_a_linear_network_by_hand() -> None:
    """The estimate grows by what a sample's activations are; the fixed share is five times the weights."""
    recipe = small(recipes.find_recipe("grid"))
    (found,) = estimate(recipe)
    nets = recipe.nets.build(noise(recipe).spec)
    weights = sum(p.numel() * 4 for p in nets.parameters())
    assert weights * 5 <= found.fixed_bytes < weights * 5 + 2000
    wide = replace(recipe, nets=replace(recipe.nets, d_hidden=(40,)))  # type: ignore[call-arg]
    more = estimate(wide)[-1].bytes_per_sample - found.bytes_per_sample
    # 36 more hidden values of 4 bytes; D judges four batches, and LeakyReLU and the layer behind keep one each
    assert 36 * 4 * 4 <= more <= 36 * 4 * 4 * 4


def test_without_room_to_look_twice_all_grows_with_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small(recipes.find_recipe("stylegan2_small"))
    (found,), weights = estimate(recipe), recipe.nets.build(noise(recipe).spec).parameters()
    monkeypatch.setattr(memory, "measure_free_bytes", lambda where: 0)
    (bound,) = estimate(recipe)
    assert bound.fixed_bytes == memory.WEIGHT_COPIES * sum(p.numel() * 4 for p in weights)
    assert found.bytes_per_sample <= bound.bytes_per_sample < 3 * found.bytes_per_sample


def test_the_hungriest_stage_counts() -> None:
    """A growing network needs at its full size what it does not need at 4 px."""
    recipe = small(recipes.find_recipe("progan_small"))
    whole = estimate(recipe)[-1].bytes_per_sample
    first = estimate(replace(recipe, method=replace(recipe.method, kimg=1e6)))[-1].bytes_per_sample  # type: ignore[call-arg]
    assert whole > 4 * first


def test_speed_is_that_of_all_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each weighs as much as its share of the images."""
    recipe = small(recipes.find_recipe("progan_small"))
    recipe = replace(recipe, method=replace(recipe.method, share=0.5))  # type: ignore[call-arg]
    costs = {"4 px": 1 / 400, "8 px": 1 / 200, "16 px": 1 / 100}
    monkeypatch.setattr(plan, "measure_seconds_per_sample", lambda playing, *_: costs[played(playing)])
    # 4 px for an eighth of the images, 8 px for a quarter, 16 px for the rest
    assert planner(recipe).measure_speed(recipe, 1.0).samples_per_second == pytest.approx(1 / 0.0078, rel=0.02)


def test_a_schedule_in_images_is_fitted_into_the_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """10 s at 400/s, 800/s... : 1,000 images a stretch, of which the first is of 4 px and two each follow of 8 px and 16 px."""
    recipe = small(recipes.find_recipe("progan_small"))
    recipe = replace(recipe, method=replace(recipe.method, kimg=1.0))  # type: ignore[call-arg]
    costs = {"4 px": 1 / 400, "8 px": 1 / 200, "16 px": 1 / 100}
    monkeypatch.setattr(plan, "measure_seconds_per_sample", lambda playing, *_: costs[played(playing)])
    for seconds, images in ((2.0, 800), (2.5 + 5.0, 2000), (2.5 + 10.0 + 20.0, 5000)):
        speed = planner(recipe).measure_speed(recipe, 1.0, seconds).samples_per_second
        assert speed * seconds == pytest.approx(images, rel=0.05)


def played(playing: Loop) -> str:
    """The stage, of which a step is made: it grows the networks."""
    stage = playing.recipe.method.stage(playing.state.nets, playing.state.clock)
    playing.train_step(stage, 4)
    return stage.name


def test_lazy_phases_cost_as_often_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of 1 s, every fourth of 3 s, every sixteenth of 7 s: 0.75 + 0.1875 x 3 + 0.0625 x 7 s."""
    recipe = small(recipes.find_recipe("stylegan2_small"), batch=8)
    state, now = build_state(recipe, noise(recipe).spec, 0, CPU), [0.0]
    playing = Loop(recipe, noise(recipe), state, 0)

    def step(stage: Stage, batch: int) -> None:
        due = {phase.name for phase in stage.phases if state.clock.step % phase.every == 0}
        now[0] += 1 + 2 * ("PathLength" in due) + 4 * ("R1" in due)

    monkeypatch.setattr(playing, "train_step", step)
    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])
    assert speed.measure_seconds_per_sample(playing, 1.0) == pytest.approx((0.75 + 0.1875 * 3 + 0.0625 * 7) / 8)


@pytest.mark.parametrize(("seconds_per_step", "steps"), [(0.1, 2 + 11), (1.0, 2 + 3), (100.0, 2 + 1)])
def test_a_trial_on_a_slow_machine_ends(seconds_per_step: float, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps to warm up; then for a second, or three steps, unless these take far longer."""
    recipe = small(recipes.find_recipe("grid"), batch=8)
    playing, now = Loop(recipe, noise(recipe), build_state(recipe, noise(recipe).spec, 0, CPU), 0), [0.0]

    def step(stage: Stage, batch: int) -> None:
        now[0] += seconds_per_step

    monkeypatch.setattr(playing, "train_step", step)
    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])
    assert speed.measure_seconds_per_sample(playing, 1.0) == pytest.approx(seconds_per_step / 8)
    assert now[0] / seconds_per_step == pytest.approx(steps, abs=1)


def test_networks_that_will_not_be_grown_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = small(recipes.find_recipe("progan_small"))
    for kimg, said in ((1000.0, True), (0.0, False)):
        growing = replace(recipe, method=replace(recipe.method, kimg=kimg))  # type: ignore[call-arg]
        planner(growing).announce_stages(growing)
        assert ("does not grow the networks" in capsys.readouterr().out) == said


def test_what_does_not_fit_is_cut_into_parts_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = small(recipes.find_recipe("grid"), batch=64)
    monkeypatch.setattr(
        plan, "estimate_memory_needs", lambda *_: [MemoryFootprint(fixed_bytes=2**20, bytes_per_sample=2**20, batch=64)]
    )
    monkeypatch.setattr(plan, "measure_free_bytes", lambda _: 34 * 2**20)
    cut = planner(recipe).fit_to_memory(recipe)
    assert cut.train.accumulate == 3  # 22 samples and the fixed share are within 85% of 34 MB
    assert "split into 3 micro-batches" in capsys.readouterr().out
    monkeypatch.setattr(plan, "measure_free_bytes", lambda _: 2**30)
    assert planner(recipe).fit_to_memory(recipe) == recipe
    monkeypatch.setattr(plan, "measure_free_bytes", lambda _: 2**20)
    with pytest.raises(GanvasError, match="even with 2 samples at a time"):
        planner(recipe).fit_to_memory(recipe)


def test_a_stage_of_a_small_batch_bounds_the_parts() -> None:
    recipe = small(recipes.find_recipe("progan_small"), accumulate=3)
    recipe = replace(recipe, method=replace(recipe.method, batches=(8, 4)))  # type: ignore[call-arg]
    with pytest.raises(GanvasError, match="a batch of 4 has fewer than 2 samples for each of 3 micro-batches"):
        planner(recipe).fit_to_memory(recipe)


def test_more_parts_than_the_batch_has_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small(recipes.find_recipe("grid"), batch=8)
    monkeypatch.setattr(plan.distributed, "count_ranks", lambda: 8)
    with pytest.raises(GanvasError, match=r"fewer than 2 samples for each of 8 micro-batches: --train.batch 16"):
        planner(recipe).fit_to_memory(recipe)


@pytest.mark.parametrize(("most", "taken", "left"), [("1000", "400", [650]), ("max", "400", []), ("", "400", [])])
def test_a_container_bounds_memory(tmp_path: Path, most: str, taken: str, left: list[int]) -> None:
    assert read_cgroup_allowance(tmp_path) == []
    (tmp_path / "memory.max").write_text(f"{most}\n")
    (tmp_path / "memory.current").write_text(f"{taken}\n")
    (tmp_path / "memory.stat").write_text("anon 350\ninactive_file 50\n")
    assert read_cgroup_allowance(tmp_path) == left
