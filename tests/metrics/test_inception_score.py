"""Inception score: goldens, the two extremes, what is refused."""

import numpy as np
import pytest

from ganvas.core import Features
from ganvas.errors import GanvasError
from ganvas.metrics import InceptionScore
from small_recipes import both

NONE = Features(np.empty((0, 1)))  # the reals are not looked at


def score(logits: np.ndarray, splits: int = 10) -> dict[str, float]:
    return InceptionScore(splits=splits)(both(NONE), Features(logits, logits))


def test_golden(golden):
    result = score(golden["in/is_logits"])
    assert result["inception_score"] == pytest.approx(golden["out/is_mean"].item(), rel=1e-10)
    assert result["inception_score_std"] == pytest.approx(golden["out/is_std"].item(), rel=1e-9)


def test_golden_of_one_split(golden):
    result = score(golden["in/is_logits"], splits=1)
    assert result["inception_score"] == pytest.approx(golden["out/is_splits1"].item(), rel=1e-10)
    assert result["inception_score_std"] == 0


def test_sure_and_varied_scores_the_number_of_classes():
    assert score(np.tile(2000 * np.eye(7), (10, 1))) == {
        "inception_score": pytest.approx(7),
        "inception_score_std": pytest.approx(0, abs=1e-12),
    }


@pytest.mark.parametrize("row", [np.zeros(7), 2000 * np.eye(7)[3], np.arange(7.0)])
def test_samples_all_alike_score_one(row):
    assert score(np.tile(row, (30, 1)))["inception_score"] == pytest.approx(1)


def test_splits_are_consecutive():
    logits = np.repeat(2000 * np.eye(2), 10, axis=0)
    assert score(logits, splits=2)["inception_score"] == pytest.approx(1)
    assert score(logits, splits=1)["inception_score"] == pytest.approx(2)


def test_an_extractor_without_classes_is_refused():
    with pytest.raises(GanvasError, match="not a classifier"):
        InceptionScore()(both(NONE), Features(np.ones((20, 3))))


def test_fewer_samples_than_splits_are_refused():
    with pytest.raises(GanvasError, match="9 samples, this metric needs at least 10"):
        score(np.ones((9, 3)))
    with pytest.raises(GanvasError, match="splits must be 1 or more"):
        score(np.ones((9, 3)), splits=0)


def test_a_split_of_few_samples_is_doubted():
    rng = np.random.default_rng(0)
    scored = Features(rng.normal(size=(12, 3)), 50 * rng.permutation(np.repeat(np.eye(6), 2, 0)))
    metric = InceptionScore(splits=4)
    doubt = metric.describe_doubt(both(scored), 12)
    assert doubt.endswith("a split has 3 samples, fewer than the 6 classes: the score is 3 at most")
    assert metric(both(scored), scored)["inception_score"] <= 3
    assert InceptionScore(splits=2).describe_doubt(both(scored), 12) == ""
    assert InceptionScore().fit_to_samples(5) == InceptionScore(splits=2)
