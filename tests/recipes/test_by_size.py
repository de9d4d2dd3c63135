"""What `text2image` chooses by the size and the number of pictures."""

from dataclasses import replace

import pytest

from ganvas.augment import DiffAugment
from ganvas.core import Spec
from ganvas.errors import GanvasError
from ganvas.losses import FiniteDifferenceR1
from ganvas.methods import Adversarial
from ganvas.optim import Adam
from ganvas.recipe import Facts, Recipe, Trial
from ganvas.recipes import find_recipe


def choose(side: int, samples: int, speed: float = 100.0, **settings: object) -> Recipe:
    recipe = replace(find_recipe("text2image"), **settings)
    assert recipe.choose is not None
    facts = Facts(samples, samples, Spec((3, side, side), (), {}), "cpu", 600.0)
    return recipe.choose(recipe, facts, lambda _: Trial(speed))[0]


def method_of(recipe: Recipe) -> Adversarial:
    assert isinstance(recipe.method, Adversarial)
    return recipe.method


def test_the_penalty_follows_the_pixels_and_large_pictures_come_in_smaller_batches() -> None:
    small, large = choose(32, 4_000), choose(64, 4_000)
    gammas = [p.gamma for recipe in (small, large) for p in method_of(recipe).penalties if isinstance(p, FiniteDifferenceR1)]
    assert gammas == [0.5, 2.0]
    assert (small.train.batch, large.train.batch) == (64, 32)
    rates = [optim.lr for recipe in (small, large) for optim in recipe.optim.values() if isinstance(optim, Adam)]
    assert rates == [2e-3] * 3 + [1e-3] * 3


def test_few_pictures_that_are_seen_often_are_shifted_and_then_augmented() -> None:
    augments = [method_of(choose(32, samples)).augment for samples in (4_000, 500, 100)]
    assert augments == [None, DiffAugment(colour=False, cut=0.0), DiffAugment()]


def test_what_is_no_picture_is_refused() -> None:
    recipe = find_recipe("text2image")
    assert recipe.choose is not None
    with pytest.raises(GanvasError, match="only games on pictures"):
        recipe.choose(recipe, Facts(100, 100, Spec((4,), (), {}), "cpu", None), lambda _: Trial(1.0))
