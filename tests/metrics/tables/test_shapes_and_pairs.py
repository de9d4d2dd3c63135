"""Shapes and pair trends by hand, against closed forms, and what they say of equal, shuffled and far tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganvas.core import PlainTable
from ganvas.errors import GanvasError
from ganvas.metrics.tables import score_pair_trends, score_shapes, shuffle_columns
from ganvas.metrics.tables.shapes import measure_ks, measure_total_variation
from plain_tables import draw_table

NAN = np.nan


def numbers(*columns: list[float]) -> PlainTable:
    names = tuple("abcdef"[: len(columns)])
    return PlainTable(names, ("number",) * len(columns), tuple(np.array(c, np.float64) for c in columns))


def categories(*columns: list[int]) -> PlainTable:
    names = tuple("abcdef"[: len(columns)])
    return PlainTable(names, ("category",) * len(columns), tuple(np.array(c, np.int64) for c in columns))


def test_shapes_by_hand():
    assert measure_ks(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == 0.5
    assert measure_ks(np.array([0.0, 0, 0, 1]), np.array([0.0, 1])) == 0.25  # ties
    assert measure_ks(np.array([1.0, 2, NAN, NAN]), np.array([1.0, 2])) == 0.5  # half is missing
    assert measure_ks(np.array([NAN, NAN]), np.array([NAN])) == 0
    assert measure_total_variation(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 3])) == 0.5
    assert measure_total_variation(np.array([10**18, 0]), np.array([10**18])) == 0.5  # a code of any size
    assert score_shapes(numbers([1, 2], [1, 2]), numbers([1, 2], [7, 8])) == {"a": 1.0, "b": 0.0}


@settings(deadline=None, max_examples=30)
@given(arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 5)), arrays(np.float64, 20, elements=st.integers(0, 5)))
def test_ks_agrees_with_scipy(x, y):
    stats = pytest.importorskip("scipy.stats")
    assert measure_ks(x, y) == pytest.approx(stats.ks_2samp(x, y).statistic)


def test_two_numbers_are_compared_by_correlation():
    """1 against -1: as far as can be; against 0: half way."""
    up, down, flat = numbers([1, 2, 3], [1, 2, 3]), numbers([1, 2, 3], [3, 2, 1]), numbers([1, 2, 3], [5, 5, 5])
    assert score_pair_trends(up, up).mean == pytest.approx(1)
    assert score_pair_trends(up, down).mean == pytest.approx(0)
    assert score_pair_trends(up, flat).mean == pytest.approx(0.5)
    gaps = numbers([1, NAN, 3, 2], [1, 5, 3, NAN])
    assert score_pair_trends(gaps, up).mean == pytest.approx(1)


def test_categories_are_compared_by_their_tables():
    real, fake = categories([0, 0, 1, 1], [0, 0, 1, 1]), categories([0, 0, 1, 1], [0, 1, 0, 1])
    for bins in ("width", "count"):
        assert score_pair_trends(real, fake, bins).mean == 0.5  # shares 1/2, 1/2 against four quarters
        assert score_pair_trends(fake, fake, bins).mean == 1


def test_bins_of_equal_width_are_those_of_numpy():
    """A column of 0..10 has edges 0, 1, …, 10; its own highest value stands alone, as in SDMetrics."""
    real = PlainTable(("a", "b"), ("number", "category"), (np.arange(11.0), np.zeros(11, np.int64)))
    fake = PlainTable(("a", "b"), ("number", "category"), (np.array([9.0, 9.5, 10, 10.5]), np.zeros(4, np.int64)))
    assert score_pair_trends(real, fake).mean == pytest.approx(2 / 11)  # the bins 9 and 10, each 1/11 against 1/2
    lost = PlainTable(("a", "b"), ("number", "category"), (np.array([10.0, NAN]), np.zeros(2, np.int64)))
    assert score_pair_trends(real, lost).mean == pytest.approx(1 / 11)  # missing is a bin too


def test_equal_tables_score_one_and_shuffled_ones_show_what_dependence_is_worth():
    table = draw_table(5000, 0)
    for bins in ("width", "count"):
        scores = score_pair_trends(table, table, bins)
        assert scores.mean == pytest.approx(1)
        assert scores.independent < 0.93
        assert scores.matrix.shape == (6, 6)
        assert np.isnan(np.diag(scores.matrix)).all()
        np.testing.assert_array_equal(scores.matrix, scores.matrix.T)
        again = score_pair_trends(table, shuffle_columns(table, np.random.default_rng(0)), bins)
        assert again.mean == scores.independent
    shuffled = shuffle_columns(table, np.random.default_rng(0))
    assert set(score_shapes(table, shuffled).values()) == {1.0}


def test_more_rows_of_the_same_score_higher_and_another_distribution_lower():
    real = draw_table(4000, 0)
    scores = [score_pair_trends(real, draw_table(n, 1), "count").mean for n in (100, 1000, 10_000)]
    assert scores == sorted(scores)
    other = draw_table(10_000, 1, missing=0.6)
    assert score_shapes(real, other)["gaps"] == pytest.approx(0.5, abs=0.03)  # half more is missing
    assert score_pair_trends(real, other, "count").mean < scores[-1] - 0.05


def test_a_column_that_is_all_missing_is_scored():
    real, lost = draw_table(100, 0), draw_table(100, 0, missing=1.0)
    for one, two in ((real, lost), (lost, real), (lost, lost)):
        assert 0 <= score_shapes(one, two)["gaps"] <= 1
        assert np.isfinite(score_pair_trends(one, two).mean)
        assert np.isfinite(score_pair_trends(one, two, "count").mean)


@pytest.mark.parametrize(
    ("names", "kinds", "values", "message"),
    [
        (("a", "a"), ("number", "number"), (np.zeros(2), np.zeros(2)), "two columns of a table have one name"),
        (("a", "b"), ("number", "number"), (np.zeros(2), np.zeros(3)), r"column b has the shape \(3,\)"),
        (("a",), ("number",), (np.array([0.0, np.inf]),), "column a holds infinite numbers"),
        (("a",), ("category",), (np.array([-1, 0]),), "column a holds the code -1"),
        (("a",), ("category",), (np.zeros(2),), "categories are int64"),
        (("a",), ("date",), (np.zeros(2),), "column a is a date"),
        ((), (), (), "names, kinds and values"),
        (("a", "b"), ("number",), (np.zeros(2),), "names, kinds and values"),
    ],
)
def test_tables_that_cannot_be_are_refused(names, kinds, values, message):
    with pytest.raises(GanvasError, match=message):
        PlainTable(names, kinds, values)


def test_other_columns_and_no_rows_are_refused():
    table = draw_table(10, 0)
    with pytest.raises(GanvasError, match="other columns"):
        score_shapes(table, table.select([0, 1]))
    with pytest.raises(GanvasError, match="0 rows is too small"):
        score_shapes(table, table.take(slice(0)))
    with pytest.raises(GanvasError, match="no column 'wage'; it has group, age"):
        table.find_column("wage")


def test_rows_are_drawn_once_each():
    table = draw_table(50, 0)
    drawn = table.draw(20, np.random.default_rng(0))
    assert len(set(drawn.values[1])) == len(drawn) == 20
    assert table.draw(60, np.random.default_rng(0)) is table
