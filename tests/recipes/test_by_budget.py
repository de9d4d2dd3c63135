"""What `auto` chooses from data and time, and that what was set stays."""

from dataclasses import replace

import pytest
import torch

from ganvas import recipes
from ganvas.augment import DiffAugment
from ganvas.core import Field, Spec
from ganvas.errors import GanvasError
from ganvas.nets import DCGAN
from ganvas.optim.optimisers import Adam
from ganvas.recipe import Facts, Recipe, Trial
from ganvas.recipes.by_budget import ByBudget
from ganvas.training.plan import count_distinct
from small_recipes import class_condition


def facts(
    samples: int = 60_000, size: int = 32, classes: int = 0, minutes: float | None = 10.0, distinct: int | None = None
) -> Facts:
    label = {"label": class_condition(classes, (), (1 / classes,) * classes)} if classes else {}
    spec = Spec((1, size, size), (Field("image", 1),), label)
    return Facts(samples, distinct or samples, spec, "cpu", minutes * 60 if minutes else None)


def speeds(recipe: Recipe) -> Trial:
    """Twice the width, a third of the speed."""
    return Trial(samples_per_second=1000.0 * (32 / recipe.nets.g_width) ** 1.6)  # type: ignore[attr-defined]


def chosen(facts: Facts, recipe: Recipe | None = None, attempt: object = speeds) -> tuple[Recipe, str]:
    asked = recipe or recipes.find_recipe("auto")
    found, reasons = asked.choose(asked, facts, attempt)  # type: ignore[misc, arg-type]
    assert 2 <= len(reasons) <= 5
    return found, "\n".join(reasons)


def test_more_time_makes_wider_networks() -> None:
    widths = [chosen(facts(minutes=minutes))[0].nets.g_width for minutes in (0.5, 4, 20, 1000)]  # type: ignore[attr-defined]
    assert widths == sorted(widths)
    assert widths[0] == ByBudget().widths[0]
    assert widths[-1] == ByBudget().widths[-1]


def test_no_more_is_tried_than_needed() -> None:
    tried: list[int] = []

    def attempt(recipe: Recipe) -> Trial:
        tried.append(recipe.nets.g_width)  # type: ignore[attr-defined]
        return Trial(samples_per_second=1.0)

    chosen(facts(), attempt=attempt)
    assert tried == [ByBudget().widths[0]]
    tried.clear()
    chosen(facts(minutes=None), attempt=attempt)
    assert tried == []


def test_labels_are_used_where_each_class_has_enough() -> None:
    found, said = chosen(facts(classes=10))
    assert found.nets.labels  # type: ignore[attr-defined]
    assert "10 classes, used" in said
    found, said = chosen(facts(samples=1000, classes=500))
    assert not found.nets.labels  # type: ignore[attr-defined]
    assert "not used (2 samples per class)" in said


def test_samples_seen_often_are_augmented() -> None:
    found, said = chosen(facts(samples=1000, minutes=10))
    assert found.method.augment == DiffAugment()  # type: ignore[attr-defined]
    assert "each is seen 314 times: augmented" in said
    found, said = chosen(facts(samples=60_000, minutes=10))
    assert found.method.augment is None  # type: ignore[attr-defined]
    assert "each is seen 5.2 times: not augmented" in said


@pytest.mark.parametrize(("size", "gamma"), [(32, 0.5), (64, 2.0), (16, 0.125)])
def test_the_penalty_grows_with_the_pixels(size: int, gamma: float) -> None:
    assert {p.gamma for p in chosen(facts(size=size))[0].method.penalties} == {gamma}  # type: ignore[attr-defined]


def test_what_was_set_stays() -> None:
    recipe = recipes.find_recipe("auto")
    penalties = tuple(replace(p, gamma=3.0) for p in recipe.method.penalties)  # type: ignore[attr-defined]
    nets = replace(recipe.nets, g_width=20, labels=False)  # type: ignore[call-arg]
    method = replace(recipe.method, penalties=penalties, augment=DiffAugment(cut=0.25))  # type: ignore[call-arg]
    found, _ = chosen(facts(samples=50, classes=2, size=64), replace(recipe, nets=nets, method=method))
    assert found == replace(recipe, nets=nets, method=method)


def test_the_choosers_own_settings() -> None:
    recipe = replace(recipes.find_recipe("auto"), choose=ByBudget(gamma=1.0, widths=(32,), augment_from=10**9))
    found, _ = chosen(facts(samples=100, size=64), recipe)
    assert {p.gamma for p in found.method.penalties} == {4.0}  # type: ignore[attr-defined]
    assert found.nets.g_width == 32  # type: ignore[attr-defined]
    assert found.method.augment is None  # type: ignore[attr-defined]
    for wrong in ((), (1,), (48, 24)):
        with pytest.raises(GanvasError, match=r"^widths must be rising numbers from 2, got "):
            ByBudget(widths=wrong)


def test_other_networks_are_not_its_own() -> None:
    with pytest.raises(GanvasError, match="choose=None"):
        chosen(facts(), replace(recipes.find_recipe("auto"), nets=DCGAN()))


def test_too_little_time_is_said() -> None:
    assert "though they need more samples" in chosen(facts(minutes=0.1))[1]


def test_copies_are_no_variety() -> None:
    found, said = chosen(facts(samples=60_000, distinct=100))
    assert isinstance(found.method.augment, DiffAugment)  # type: ignore[attr-defined]
    assert "100 of them distinct" in said


def test_copies_are_counted() -> None:
    few = torch.randint(256, (7, 8, 8, 1), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert count_distinct({"x": few}) == 7
    assert count_distinct({"x": few.repeat(9, 1, 1, 1)}) == 7


def test_short_runs_learn_faster() -> None:
    def rates(found: Recipe) -> list[float]:
        return [optim.lr for optim in found.optim.values()]  # type: ignore[attr-defined]

    short, said = chosen(facts(minutes=0.5))
    assert rates(short) == [4e-3, 4e-3]
    assert "learning rates G 0.004, D 0.004" in said
    assert rates(chosen(facts(minutes=10))[0]) == rates(chosen(facts(minutes=0.5, size=64))[0]) == [2e-3, 2e-3]
    asked = recipes.find_recipe("auto")
    asked = replace(asked, optim={**asked.optim, "D": Adam(lr=1e-3)})
    assert rates(chosen(facts(minutes=0.5), asked)[0]) == [4e-3, 1e-3]  # what was set stays
