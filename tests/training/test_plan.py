"""What a run costs before its first step: how often networks are built, and that trials leave no trace."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ganvas import api, recipes
from ganvas.configuration import config
from ganvas.core import Spec
from ganvas.data import Files
from ganvas.methods.progressive import get_growth
from ganvas.nets import DCGAN, ProGAN, Projected
from ganvas.recipe import Facts, Recipe, Trial
from ganvas.training.plan import Planner
from small_recipes import noise, small
from trained_runs import DATA

CPU = torch.device("cpu")


def tiny(name: str, **train: object) -> Recipe:
    recipe = small(recipes.find_recipe(name), **train)
    return replace(recipe, data=Files(path=DATA), evaluation=replace(recipe.evaluation, samples=30, snapshot_samples=10))


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """An entry for every time that networks are built."""
    entries: list[object] = []

    def count_builds(kind: type, real: Callable[[object, Spec], torch.nn.ModuleDict]) -> None:
        def build(self: object, spec: Spec) -> torch.nn.ModuleDict:
            entries.append(self)
            return real(self, spec)

        monkeypatch.setattr(kind, "build", build)

    for kind in (Projected, DCGAN, ProGAN):
        count_builds(kind, kind.build)
    return entries


@pytest.mark.parametrize("name", ["dcgan", "progan_small"])
@pytest.mark.parametrize("budget", [{"samples": 32}, {"samples": None, "minutes": 0.005}])
def test_networks_are_built_once_to_plan_and_once_to_train(
    name: str, budget: dict[str, float], builds: list[object], tmp_path: Path
) -> None:
    api.train(replace(tiny(name, **budget), choose=None), out=tmp_path / "run", quiet=True)
    assert len(builds) == 2


@config
class TryWidths:
    """Tries each width twice and takes the last one."""

    widths: tuple[int, ...] = (3, 4)

    def __call__(self, requested: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        assert isinstance(requested.nets, Projected)
        for width in self.widths:
            requested = replace(requested, nets=replace(requested.nets, g_width=width))
            for _ in range(2):
                assert attempt(requested).samples_per_second > 0
        return requested, []


def test_a_chooser_has_networks_built_once_for_each_recipe_that_it_tries(builds: list[object]) -> None:
    recipe = replace(tiny("auto", samples=None, minutes=0.005), choose=TryWidths())
    plan = Planner(recipe, noise(recipe), 0, CPU).plan(None)
    assert [nets.g_width for nets in builds] == [recipe.nets.g_width, 3, 4]  # type: ignore[attr-defined]
    assert plan.nets.g_width == 4  # type: ignore[attr-defined]
    assert plan.choose is None


def test_what_a_trial_grew_is_small_again_for_the_next_one() -> None:
    """Stages follow from networks as at the start; the trained ones are put back before each measurement."""
    recipe = small(recipes.find_recipe("progan_small"))
    planner = Planner(recipe, noise(recipe), 0, CPU)
    networks = planner.build_networks(recipe)
    stages = [(stage.name, share) for _, stage, share in networks.locate_stages(recipe)]
    planner.measure_speed(recipe, 0.0)
    assert get_growth(networks.state.nets).depth > 1  # at the first moment of 16 px
    assert [(stage.name, share) for _, stage, share in networks.locate_stages(recipe)] == stages
    assert len(stages) == 3
    assert planner.build_networks(recipe) is networks
    assert get_growth(networks.state.nets).depth == 0.0
    assert recipe.method.stage(networks.state.nets, networks.locate_stages(recipe)[0][0]).name == "4 px"
