"""How many samples a last score card takes: by the budget, and only where drawing is slow by what it takes."""

from dataclasses import replace
from pathlib import Path

import pytest

from ganvas import recipes
from ganvas.data import Files
from ganvas.recipe import Train
from ganvas.training.card_size import choose_card_size, extend_card_size, limit_card_size
from ganvas.training.resuming import extend_budget
from ganvas.training.session import train
from ganvas.training.transfer import start_recipe_from_run
from small_recipes import small
from trained_runs import DATA

OPEN = replace(recipes.find_recipe("auto").evaluation, samples=None)
GIVEN = replace(OPEN, samples=10_000)


@pytest.mark.parametrize(
    ("train", "size"),
    [
        (Train(samples=64), 500),
        (Train(samples=99_999), 1_000),
        (Train(samples=100_000), 2_000),
        (Train(samples=10**7), 10_000),
        (Train(minutes=0.5), 500),
        (Train(minutes=3), 1_000),
        (Train(minutes=14), 5_000),
        (Train(minutes=60), 10_000),
    ],
)
def test_a_short_run_has_a_small_card(train: Train, size: int) -> None:
    assert choose_card_size(OPEN, train) == size
    assert choose_card_size(GIVEN, train) == 10_000


def test_slow_drawing_makes_a_smaller_card() -> None:
    """2% of 1,000 s are 20 s, for two cards: 10,000 samples at 1 ms, 2,000 at 5 ms; of none fewer than 500."""
    assert [limit_card_size(OPEN, 10_000, ms / 1000, 1000) for ms in (1, 5, 9, 500)] == [10_000, 2_000, 1_000, 500]
    assert limit_card_size(OPEN, 1_000, 0.001, 1000) == 1_000
    assert limit_card_size(GIVEN, 10_000, 0.5, 1000) == 10_000


def test_a_longer_run_has_a_larger_card() -> None:
    """Never a smaller one; and one that drawing made small grows no faster than the run."""
    assert extend_card_size(OPEN, 500, Train(minutes=60), 60.0) == 10_000
    assert extend_card_size(OPEN, 500, Train(minutes=60), 2.0) == 1_000
    assert extend_card_size(OPEN, 5_000, Train(samples=200), 2.0) == 5_000
    assert extend_card_size(GIVEN, 10_000, Train(minutes=60), 60.0) == 10_000


def test_a_run_says_how_many_samples_its_card_took_and_grows_it_with_the_budget(tmp_path: Path) -> None:
    recipe = small(recipes.find_recipe("dcgan"), samples=16)
    recipe = replace(recipe, data=Files(path=DATA), evaluation=replace(recipe.evaluation, snapshot_samples=10))
    run = train(recipe, out=tmp_path / "run", quiet=True)
    assert (run.requested.evaluation.samples, run.recipe.evaluation.samples) == (None, 500)
    final_sizes = {card["protocol"]["samples"] for card in run.score_cards if card["kind"] == "final"}
    assert final_sizes == {95}  # half of the 190 that training sees
    assert extend_budget(run, None, 32)[1].evaluation.samples == 500
    requested, resolved = extend_budget(run, None, 100_000)
    assert (requested.evaluation.samples, resolved.evaluation.samples) == (None, 2_000)
    assert start_recipe_from_run(run).evaluation.samples is None  # another run, of another length
    given = replace(recipe, evaluation=replace(recipe.evaluation, samples=30))
    assert train(given, out=tmp_path / "given", quiet=True).recipe.evaluation.samples == 30
