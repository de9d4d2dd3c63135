"""The area under the ROC curve: by hand, against scikit-learn, and its error against many draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import GanvasError
from ganvas.ranks import measure_auc, measure_auc_with_error


def test_by_hand():
    """Pairs: 3 above 1, 3 above 2, 2 above 1, and 2 equal to 2."""
    assert measure_auc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_agrees_with_scikit_learn(higher, lower):
    metrics = pytest.importorskip("sklearn.metrics")
    expected = metrics.roc_auc_score([1] * len(higher) + [0] * len(lower), higher + lower)
    assert measure_auc(np.array(higher), np.array(lower)) == pytest.approx(expected)
    assert measure_auc(np.array(lower), np.array(higher)) == pytest.approx(1 - expected)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_error_is_the_spread_of_many_draws(shift):
    rng = np.random.default_rng(0)
    draws = [measure_auc_with_error(rng.normal(shift, 1, 150), rng.normal(0, 1, 80)) for _ in range(400)]
    areas, errors = np.array(draws).T
    assert np.std(areas) == pytest.approx(errors.mean(), rel=0.12)  # 400 draws know the spread to 3.5%
    assert areas.mean() == pytest.approx({0.0: 0.5, 0.7: 0.6897}[shift], abs=0.01)


def test_perfect_separation_of_few_is_not_certain():
    assert measure_auc_with_error(np.arange(5.0) + 10, np.arange(5.0)) == (1.0, 0.1)


@pytest.mark.parametrize(
    ("higher", "lower"),
    [(np.array([]), np.ones(3)), (np.ones(3), np.array([])), (np.ones((2, 2)), np.ones(3)), (np.array([np.nan]), np.ones(2))],
)
def test_bad_scores_are_refused(higher, lower):
    with pytest.raises(GanvasError, match="scores of two groups"):
        measure_auc(higher, lower)


def test_one_score_has_no_error():
    with pytest.raises(GanvasError, match="two scores or more"):
        measure_auc_with_error(np.ones(1), np.ones(5))
