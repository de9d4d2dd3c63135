"""Detection and efficacy by boosted trees: chance for equal tables, certainty for far ones, and the figures of Adult."""

import sys

import numpy as np
import pytest

from ganvas.core import PlainTable
from ganvas.errors import GanvasError
from ganvas.metrics.tables import detect_rows, score_efficacy, score_pair_trends, score_shapes, shuffle_columns
from ganvas.metrics.tables.boosting import MAX_CATEGORIES, prepare_features
from plain_tables import draw_table, read_adult, skip_without_adult

pytest.importorskip("sklearn")


def test_rows_of_the_same_distribution_are_not_told_apart():
    detection = detect_rows(draw_table(1500, 0), draw_table(1500, 1))
    assert detection.auc == pytest.approx(0.5, abs=4 * 0.0105)  # the error of two times 1,500 rows is 1 / sqrt(6 n)
    assert max(detection.telling_columns.values()) < 0.1


def test_the_columns_and_rows_that_tell_are_named():
    real, fake = draw_table(1500, 0), draw_table(1500, 1)
    values = [*fake.values]
    values[1] = np.where(np.arange(1500) < 300, 200.0, values[1])  # nobody is 200 years old
    detection = detect_rows(real, PlainTable(fake.names, fake.kinds, tuple(values)))
    assert next(iter(detection.telling_columns)) == "age"
    assert len(detection.telling_rows) == 10
    assert detection.telling_rows.max() < 300
    assert detection.auc == pytest.approx(0.6, abs=0.04)  # a fifth at once, the others by chance


def test_shuffled_columns_are_told_apart_and_of_no_use():
    real, test = draw_table(3000, 0), draw_table(1500, 1)
    shuffled = shuffle_columns(real, np.random.default_rng(0))
    assert detect_rows(real, shuffled, rows=2000).auc > 0.75
    answer = score_efficacy(real, shuffled, test, "answer")
    assert answer.measure == "auc"
    assert answer.synthetic == pytest.approx(0.5, abs=0.08)
    assert answer.real > 0.75
    assert answer.accuracy_real is not None
    income = score_efficacy(real, shuffled, test, "income", takes_logarithm=True)
    assert income.measure == "r2"
    assert income.synthetic < 0.1 < 0.35 < income.real
    gaps = score_efficacy(real, shuffled, test, "gaps")  # a tenth of the rows lacks it
    assert gaps.real > 0.3 > gaps.synthetic


def test_more_than_two_classes_and_one_that_training_never_saw():
    real, test = draw_table(2000, 0), draw_table(1000, 1)
    same = score_efficacy(real, draw_table(2000, 2), test, "group")
    assert same.synthetic == pytest.approx(same.real, abs=0.06)
    assert same.real > 0.7
    without = score_efficacy(real, real.take(real.values[0] != 3), test, "group")
    assert without.synthetic < same.real
    only_one = score_efficacy(real, real.take(real.values[0] == 0), test, "group")
    assert only_one.synthetic == 0.5
    assert only_one.accuracy_synthetic == pytest.approx((test.values[0] == 0).mean())


def test_the_same_table_and_seed_give_the_same():
    real, fake = draw_table(300, 0), draw_table(200, 1)
    one, two = detect_rows(real, fake), detect_rows(real, fake)
    assert one.auc == two.auc
    assert one.telling_columns == two.telling_columns
    assert detect_rows(real, fake, seed=1).auc != one.auc


def test_codes_beyond_what_trees_keep_become_one():
    codes = np.concatenate([np.arange(1000), np.arange(400), np.full(50, 10**15)])
    table = PlainTable(("key",), ("category",), (codes,))
    (a, b), is_category = prepare_features(table.take(slice(700)), table.take(slice(700, None)))
    features = np.concatenate([a, b])[:, 0]
    assert is_category.tolist() == [True]
    assert len(np.unique(features)) == MAX_CATEGORIES
    assert features.max() == MAX_CATEGORIES - 1
    assert len(np.unique(features[codes == 10**15])) == 1
    assert (features[codes == 10**15] != features[-51]).all()  # the most frequent one keeps its own


def test_what_cannot_be_scored_is_refused(monkeypatch):
    table = draw_table(30, 0)
    with pytest.raises(GanvasError, match="too small to compare: at least 6"):
        detect_rows(table, table.take(slice(5)))
    with pytest.raises(GanvasError, match="answer is the same in all test rows"):
        score_efficacy(table, table, table.take(table.values[5] == 1), "answer")
    with pytest.raises(GanvasError, match="the only column"):
        score_efficacy(*[table.select([5])] * 3, "answer")
    with pytest.raises(GanvasError, match="the table fake has 0 rows with gaps"):
        score_efficacy(table, draw_table(30, 0, missing=1.0), table, "gaps")
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(GanvasError, match=r"pip install 'ganvas\[tables\]'"):
        detect_rows(table, table)


def read_or_skip() -> tuple[PlainTable, PlainTable, PlainTable]:
    """(Training rows, test rows, training rows with each column shuffled) of Adult."""
    skip_without_adult()
    train, test = read_adult()
    assert (len(train), len(test)) == (26_049, 6_512)
    return train, test, shuffle_columns(train, np.random.default_rng(1))


@pytest.mark.slow
def test_shapes_and_pairs_of_adult():
    """What the issue gives for real rows and for independent columns; figures of another shuffling."""
    train, test, independent = read_or_skip()
    shapes = [np.mean([*score_shapes(train, fake).values()]) for fake in (test, independent)]
    by_width, by_count = ([score_pair_trends(train, fake, bins) for fake in (test, independent)] for bins in ("width", "count"))
    np.testing.assert_allclose(shapes, [0.990, 1.000], atol=0.003)
    np.testing.assert_allclose([scores.mean for scores in by_width], [0.978, 0.908], atol=0.006)
    np.testing.assert_allclose([scores.mean for scores in by_count], [0.973, 0.905], atol=0.006)
    assert by_width[0].independent == pytest.approx(by_width[1].mean, abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["real", "independent"])
def test_detection_of_adult(name):
    train, test, independent = read_or_skip()
    detection = detect_rows(train, {"real": test, "independent": independent}[name])
    assert detection.auc == pytest.approx({"real": 0.5, "independent": 0.992}[name], abs=0.012 if name == "real" else 0.005)


@pytest.mark.slow
def test_efficacy_of_adult():
    train, test, independent = read_or_skip()
    efficacy = score_efficacy(train, independent, test, "loan")
    assert efficacy.real == pytest.approx(0.927, abs=0.006)
    assert efficacy.synthetic == pytest.approx(0.5, abs=0.1)  # the 0.552 is noise: there is nothing to learn
