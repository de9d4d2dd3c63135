"""How many samples a last score card takes: by the budget, and only where drawing is slow by what it takes."""

from dataclasses import replace

import pytest

from ganvas import recipes
from ganvas.recipe import Train
from ganvas.training.card_size import choose_card_size, extend_card_size, limit_card_size

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
