"""What `auto` chooses from data and time, and that what was set stays."""

from dataclasses import replace

import pytest
import torch

from ganvas import recipes
from ganvas.augment import DiffAugment
from ganvas.core import Field, Spec
from ganvas.errors import GanvasError
from ganvas.media import Image
from ganvas.nets import DCGAN
from ganvas.recipe import Facts, Recipe, Trial
from ganvas.recipes import ByBudget
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
    return Trial(samples_per_second=500.0 * (16 / recipe.nets.g_width) ** 1.6)  # type: ignore[attr-defined]


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
    found, said = chosen(facts(samples=300, minutes=10))
    assert found.method.augment == DiffAugment()  # type: ignore[attr-defined]
    assert "each is seen 523 times: augmented" in said
    found, said = chosen(facts(samples=3_000, minutes=10))
    assert found.method.augment == DiffAugment(colour=False, cut=0.0)  # type: ignore[attr-defined]
    assert "each is seen 52 times: shifted" in said
    found, said = chosen(facts(samples=60_000, minutes=10))
    assert found.method.augment is None  # type: ignore[attr-defined]
    assert "each is seen 2.6 times: not augmented" in said


@pytest.mark.parametrize(("size", "gamma"), [(32, 0.5), (64, 2.0), (16, 0.125)])
def test_the_penalty_grows_with_the_pixels(size: int, gamma: float) -> None:
    assert {p.gamma for p in chosen(facts(size=size))[0].method.penalties} == {gamma}  # type: ignore[attr-defined]


def test_what_was_set_stays() -> None:
    recipe = recipes.find_recipe("auto")
    penalties = tuple(replace(p, gamma=3.0) for p in recipe.method.penalties)  # type: ignore[attr-defined]
    nets = replace(recipe.nets, g_width=20, labels=False)  # type: ignore[call-arg]
    method = replace(recipe.method, penalties=penalties, augment=DiffAugment(cut=0.25))  # type: ignore[call-arg]
    optim = recipe.optim | {"G": replace(recipe.optim["G"], lr=5e-4)}  # type: ignore[type-var]
    asked = replace(recipe, nets=nets, method=method, optim=optim, train=replace(recipe.train, batch=48))
    found, _ = chosen(facts(samples=50, classes=2, size=64), asked)
    assert found == asked


def test_larger_pictures_take_more_steps_of_half_the_batch() -> None:
    for size, batch, rate in ((32, 64, 2e-3), (48, 64, 2e-3), (56, 32, 1e-3), (128, 32, 1e-3)):
        found, said = chosen(facts(size=size))
        assert found.train.batch == batch
        assert {optim.lr for optim in found.optim.values()} == {rate}  # type: ignore[attr-defined]
        assert f"training: batch {batch}; learning rates G {rate:g}, D {rate:g}, F {rate:g}" in said


def test_the_choosers_own_settings() -> None:
    recipe = replace(
        recipes.find_recipe("auto"), choose=ByBudget(gamma=1.0, widths=(32,), shift_from=10**9, augment_from=10**9)
    )
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


@pytest.mark.parametrize(
    ("machine", "speed", "hours", "width", "side"),
    [  # samples/s of the narrowest networks at 64 px
        ("a laptop in five minutes", 180, 1 / 12, 16, 64),
        ("a laptop in half an hour", 180, 0.5, 32, 64),
        ("a laptop over night", 180, 8, 64, 128),
        ("an Apple GPU in half an hour", 700, 0.5, 48, 64),
        ("an RTX 4090 for eight hours", 6_000, 8, 64, 256),
        ("an H200 for a day", 20_000, 24, 64, 256),
        ("an H200 for a week", 20_000, 168, 64, 512),
    ],
)
def test_networks_and_sizes_follow_machine_and_time(machine: str, speed: float, hours: float, width: int, side: int) -> None:
    def attempt(recipe: Recipe) -> Trial:
        return Trial(samples_per_second=speed * (16 / recipe.nets.g_width) ** 0.9)  # type: ignore[attr-defined]

    found, said = chosen(facts(size=64, minutes=60 * hours), attempt=attempt)
    assert found.nets.g_width == width  # type: ignore[attr-defined]
    assert found.medium.pixels == side**2  # type: ignore[attr-defined]
    assert ("larger pictures than these 4,096 pixels want about" in said) == (side == 64)
    again, said = chosen(facts(size=side, minutes=60 * hours), replace(found, choose=ByBudget()), attempt)
    assert again.medium == found.medium
    assert "larger pictures" not in said or side == 64


def test_a_size_that_was_set_or_that_the_pictures_have_stays() -> None:
    auto = recipes.find_recipe("auto")
    fast = Trial(samples_per_second=1e6)
    found, said = chosen(facts(size=64), replace(auto, medium=Image(size=64)), lambda recipe: fast)
    assert found.medium == Image(size=64)
    assert chosen(facts(size=32), attempt=lambda recipe: fast)[0].medium == auto.medium
    assert "larger pictures" not in said


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
