"""Intervals of ranks: what is kept of a column's values, and that no rare value is."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.configuration import to_json
from ganvas.media.table.columns import fit_category_column, fit_number_column
from ganvas.media.table.columns.intervals import MAX_INTERVALS, merge_values

WHOLE = st.integers(-60, 60)
DECIMAL = st.integers(-3000, 3000).map(lambda i: i / 100)
ANY = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([WHOLE, DECIMAL, ANY]).flatmap(lambda v: st.lists(v, min_size=1, max_size=150)), st.integers(2, 12))
def test_no_rare_number_is_in_the_codec(values: list[float], k: int) -> None:
    column = fit_number_column("n", pa.array([float(v) for v in values]), k)
    if column is None:
        return
    distinct, counts = np.unique(np.array(values, np.float64) + 0.0, return_counts=True)
    rare = set(distinct[counts < k].tolist())
    kept = [*column.spikes, *(point for point in column.points if point is not None), column.lowest, column.highest]
    own = {value for value in kept if value in rare}
    assert not own - {0.0}  # zero is where a codec without intervals has its ends
    assert not set(column.edges) & rare


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=120), st.integers(2, 12))
def test_no_rare_category_is_in_the_codec(values: list[str], k: int) -> None:
    texts = [f"value-{v}" for v in values]
    column, _ = fit_category_column("c", pa.array(texts), k, 256)
    written = str(to_json(column)) if column is not None else ""
    assert all((text in written) == (texts.count(text) >= k) for text in set(texts))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(ANY, st.integers(1, 40)), min_size=1, max_size=200, unique_by=lambda pair: pair[0]), st.integers(1, 12)
)
def test_every_interval_is_held_by_enough_rows(pairs: list[tuple[float, int]], k: int) -> None:
    values, counts = (np.array(column) for column in zip(*sorted(pairs), strict=True))
    intervals = merge_values(values, counts, k)
    if counts.sum() < k:
        assert intervals is None
        return
    assert intervals is not None
    rows = np.diff(intervals.ranks) * counts.sum()
    assert (np.round(rows) >= k).all()
    assert len(intervals.points) == len(intervals.edges) + 1 == len(intervals.ranks) - 1 <= MAX_INTERVALS
    assert list(intervals.edges) == sorted(set(intervals.edges))
    assert intervals.ranks[0] == 0
    assert intervals.ranks[-1] == 1
    codes = np.searchsorted(np.array(intervals.edges), values)
    np.testing.assert_allclose(np.bincount(codes, weights=counts, minlength=len(rows)), rows, rtol=1e-9)
    for end, is_beyond in ((intervals.lowest, values <= intervals.lowest), (intervals.highest, values >= intervals.highest)):
        is_own_point = end in (intervals.points[0], intervals.points[-1])
        assert is_own_point or counts[is_beyond].sum() >= min(k, counts.sum() // 2)


def test_common_values_stay_and_rare_ones_join_a_neighbour() -> None:
    values, counts = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([100, 3, 50, 20, 4])
    intervals = merge_values(values, counts, 10)
    assert intervals is not None
    assert intervals.points == (1.0, 3.0, 4.0)
    assert intervals.edges == (1.5, 3.5)
    np.testing.assert_allclose(np.diff(intervals.ranks) * 177, [100, 53, 24])


def test_a_run_of_rare_values_becomes_a_range() -> None:
    intervals = merge_values(np.arange(100.0), np.ones(100, int), 10)
    assert intervals is not None
    assert intervals.points == (None,) * len(intervals.points)
    assert (intervals.lowest, intervals.highest) == (9.5, 89.5)
    assert min(np.diff(intervals.ranks)) >= 0.1 - 1e-12


def test_at_most_so_many_intervals() -> None:
    random = np.random.default_rng(0)
    for counts in (np.ones(50_000, int), np.full(30_000, 20), random.integers(1, 60, 30_000)):
        intervals = merge_values(np.arange(len(counts)) * 1.0, counts, 10)
        assert intervals is not None
        assert MAX_INTERVALS / 4 < len(intervals.points) <= MAX_INTERVALS


def test_spikes_hold_a_tenth() -> None:
    column = fit_number_column("n", pa.array([0.0] * 10 + [5.0] * 9 + [7.0] * 81), 5)
    assert column is not None
    assert column.spikes == (0.0, 7.0)
    assert column.points == (5.0,)
    assert not column.has_rank  # one value has no order
    assert column.shares == pytest.approx((0.1, 0.81, 0.09))


@pytest.mark.parametrize(
    ("numbers", "decimals", "step"),
    [
        ([1.0, 2.0, 5.0], 0, 1),
        ([0.0, 500.0, 700.0], 0, 100),
        ([0.25, 0.5], 2, 25),
        ([0.1, 0.25], 2, 5),
        ([1 / 3, 0.5], None, 1),
    ],
)
def test_decimals_and_steps(numbers: list[float], decimals: int | None, step: int) -> None:
    column = fit_number_column("n", pa.array(numbers * 40), 5)
    assert column is not None
    assert (column.decimals, column.step) == (decimals, step)
    single = fit_number_column("n", pa.array(numbers * 40, pa.float32()), 5)
    assert single is not None
    assert (single.decimals, single.step) == (decimals, step)


def test_an_interval_is_decoded_evenly_to_its_whole_numbers() -> None:
    values = pa.array(list(range(1000)))
    column = fit_number_column("n", values, 100)
    assert column is not None
    codes = np.repeat(np.arange(len(column.points)), 1000)
    places = np.tile((np.arange(1000) + 0.5) / 1000, len(column.points))
    numbers = column.decode(codes, places, codes).to_numpy()
    np.testing.assert_array_equal(column.encode(pa.array(numbers)), codes)
    inner = np.bincount(numbers)[200:800]
    assert inner.min() > 0.5 * inner.mean()
