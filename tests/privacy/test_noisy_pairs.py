"""Noisy pair tables: unbiased counts, noise of the announced size, and nothing but public categories."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import GanvasError, SettingError
from ganvas.privacy import Ledger, noisy_pairs, release_pairs

SIZES = (3, 50, 40)


def codes(n: int = 5000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    a = rng.integers(3, size=n)
    return np.stack([a, (a + rng.integers(2, size=n)) % 50, rng.integers(40, size=n)], 1)


def test_tables_are_counts_with_noise_of_the_announced_size():
    x = codes()
    pairs = release_pairs(x, SIZES, 1.0, 1e-6, np.random.default_rng(0))
    assert set(pairs.tables) == {(0, 1), (0, 2), (1, 2)}
    truth = np.zeros((50, 40))
    np.add.at(truth, (x[:, 1], x[:, 2]), 1)
    noise = pairs.tables[1, 2] - truth
    assert noise.std() == pytest.approx(pairs.deviation, rel=0.06)  # 2,000 cells know it to 1.6%
    assert noise.mean() == pytest.approx(0, abs=4 * pairs.deviation / math.sqrt(2000))
    assert pairs.estimate_rows() == pytest.approx(5000, abs=5 * pairs.deviation * math.sqrt(150))
    assert pairs.compute_shares()[0, 1].sum() == pytest.approx(1, abs=0.1)


def test_the_release_costs_what_was_asked():
    pairs = release_pairs(codes(100), SIZES, 2.0, 1e-6)
    assert pairs.deviation == pytest.approx(pairs.release.sigma * math.sqrt(3))
    assert 1.999 < Ledger(1e-6).add(pairs.release).epsilon <= 2.0


def test_a_row_more_moves_one_cell_of_each_table_by_one():
    """So the sensitivity is the root of the number of tables, whatever the row holds."""
    x, row = codes(), np.array([[2, 49, 0]])
    before, after = (release_pairs(data, SIZES, 1.0, 1e-6, np.random.default_rng(0)) for data in (x, np.concatenate([x, row])))
    moves = [after.tables[pair] - before.tables[pair] for pair in before.tables]
    assert sum(float((move**2).sum()) for move in moves) == pytest.approx(3)
    np.testing.assert_allclose([move.sum() for move in moves], 1)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(*[st.integers(-(2**62), 2**62)] * 3), max_size=5))
def test_categories_that_are_not_public_count_nowhere(rows):
    """Neither shapes nor errors depend on the data."""
    x = codes(50)
    strange = np.array(rows, np.int64).reshape(-1, 3)
    mask = (strange < 0) | (strange >= SIZES)
    strange = strange[mask.sum(1) >= 2]  # no pair of them is public
    one, two = (release_pairs(d, SIZES, 1.0, 1e-6, np.random.default_rng(3)) for d in (x, np.concatenate([x, strange])))
    for pair, table in one.tables.items():
        np.testing.assert_array_equal(two.tables[pair], table)


def test_the_same_generator_gives_the_same_noise_and_none_gives_new():
    same = [release_pairs(codes(), SIZES, 1.0, 1e-6, np.random.default_rng(5)).tables[0, 1] for _ in range(2)]
    fresh = [release_pairs(codes(), SIZES, 1.0, 1e-6).tables[0, 1] for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert not np.array_equal(*fresh)


def test_blocks_add_up(monkeypatch):
    whole = release_pairs(codes(), SIZES, 1.0, 1e-6, np.random.default_rng(5))
    monkeypatch.setattr(noisy_pairs, "ROWS_PER_BLOCK", 77)
    blocks = release_pairs(codes().astype(np.uint16), SIZES, 1.0, 1e-6, np.random.default_rng(5))
    np.testing.assert_array_equal(whole.tables[1, 2], blocks.tables[1, 2])


def test_no_rows_are_a_table_too():
    assert release_pairs(codes(0), SIZES, 1.0, 1e-6).estimate_rows() >= 1


@pytest.mark.parametrize(
    ("x", "sizes", "message"),
    [
        (codes()[:, :1], (3,), "two columns"),
        (codes(), (3, 50), r"need whole numbers \[N, 2\]"),
        (codes().astype(float), SIZES, "whole numbers"),
        (codes(), (3, 0, 40), "column 1 has no public categories"),
        (codes(), (3, 10**5, 10**5), "merge categories"),
    ],
)
def test_tables_that_cannot_be_are_refused(x, sizes, message):
    with pytest.raises(GanvasError, match=message):
        release_pairs(x, sizes, 1.0, 1e-6)


def test_an_epsilon_of_zero_is_refused():
    with pytest.raises(SettingError, match="epsilon"):
        release_pairs(codes(), SIZES, 0.0, 1e-6)
