"""The measure of copies: one half without copying, whatever the generator's quality; near 1 for a generator that copies."""

import numpy as np
import pytest

from ganvas.core import Features, RealFeatures
from ganvas.errors import GanvasError
from ganvas.metrics import Copying, copying
from ganvas.metrics.copying import MIN_UNSEEN, compare_hits

D = 12


def draw(rng: np.random.Generator, n: int, modes: int = 8) -> np.ndarray:
    """Points of a mixture of Gaussians, [n, D]."""
    centres = 2 * np.random.default_rng(99).normal(size=(8, D))
    return centres[rng.integers(modes, size=n)] + rng.normal(size=(n, D))


def real_sets(rng: np.random.Generator, trained: int, unseen: int) -> RealFeatures:
    training = draw(rng, trained)
    halves = Features(training[: trained // 2]), Features(training[trained // 2 :])
    return RealFeatures(*halves, halves, Features(draw(rng, unseen)))


def z_score(scores: dict[str, float]) -> float:
    return (scores["copying"] - 0.5) / scores["copying_std"]


@pytest.mark.parametrize(("trained", "unseen"), [(950, 50), (1900, 100), (2000, 1500)])
def test_new_samples_score_one_half_and_the_error_is_right(trained: int, unseen: int) -> None:
    cards = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        cards.append(Copying()(real_sets(rng, trained, unseen), Features(draw(rng, 600))))
    scores = [card["copying"] for card in cards]
    errors = [card["copying_std"] for card in cards]
    assert max(abs(z_score(card)) for card in cards) < 3.5
    assert np.mean(scores) == pytest.approx(0.5, abs=3 * np.mean(errors) / np.sqrt(30))
    assert np.std(scores) == pytest.approx(np.mean(errors), rel=0.4)  # the spread of 30 draws is known to 13%
    assert not any(Copying().explain(card) for card in cards)


@pytest.mark.parametrize(("trained", "unseen"), [(950, 50), (4000, 200)])
def test_a_generator_that_returns_training_samples_scores_one(trained: int, unseen: int) -> None:
    rng = np.random.default_rng(0)
    real = real_sets(rng, trained, unseen)
    known = np.concatenate([part.features for part in real.training])
    scores = Copying()(real, Features(known[rng.integers(trained, size=500)]))
    assert scores["copying"] == 1.0
    assert z_score(scores) > 4
    assert "the generator copies" in Copying().explain(scores)
    blurred_copies = Features(known[rng.integers(trained, size=500)] + 0.2 * rng.normal(size=(500, D)))
    assert Copying()(real, blurred_copies)["copying"] > 0.95


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_some_copies_score_as_the_docstring_says(share: float) -> None:
    scores = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        real, fakes = real_sets(rng, 3000, 300), draw(rng, 2000)
        count = int(share * len(fakes))
        fakes[:count] = real.training[0].features[rng.integers(1500, size=count)]
        scores.append(Copying()(real, Features(fakes))["copying"])
    assert np.mean(scores) == pytest.approx(1 / (2 - share), abs=0.025)


def test_bad_generators_that_copy_nothing_are_not_accused() -> None:
    """Blur, samples far away, two modes, and twenty samples over and over: distances to training alone accuse some."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        real, fakes = real_sets(rng, 3000, 150), draw(rng, 1000)
        for bad in (0.3 * fakes, fakes + 30, draw(rng, 1000, modes=2), np.repeat(fakes[:20], 50, 0)):
            assert z_score(Copying()(real, Features(bad))) < 3


def test_the_floor_is_one_half_too() -> None:
    z_scores = []
    for seed in range(30):
        floor = Copying().compute_baseline(real_sets(np.random.default_rng(seed), 1500, 300), 500)
        z_scores.append(z_score(floor))
    assert abs(np.mean(z_scores)) < 3 / np.sqrt(30)
    assert np.std(z_scores) == pytest.approx(1, abs=0.4)


def test_a_score_by_hand() -> None:
    """Two training samples were nearest 3 times each, and one of two unseen ones 2 times: 3 and 1 per sample."""
    scores = compare_hits([np.array([3.0]), np.array([3.0])], np.array([2.0, 0.0]))
    assert scores["copying"] == 3 / (3 + 1)
    spread = np.var([3, 3, 2, 0], ddof=1) / 2 * (1 - 2 / 4)  # of the mean of two out of four
    assert z_score(scores) == pytest.approx((2 - 1) / np.sqrt(spread))  # 2 hits per sample on average, 1 of the unseen


def test_ties_count_half() -> None:
    points = np.random.default_rng(0).normal(size=(MIN_UNSEEN, D))
    same = Features(points)
    assert Copying()(RealFeatures(same, same, (same,), same), same)["copying"] == 0.5


def test_many_real_samples_are_compared_with_fewer_generated_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    real, fakes = real_sets(rng, 950, 50), draw(rng, 400)
    few = Copying()(real, Features(fakes[:100]))
    monkeypatch.setattr(copying, "MAX_PAIRS", 100_000)
    assert Copying()(real, Features(fakes)) == few


def test_too_few_unseen_samples_are_refused() -> None:
    real = real_sets(np.random.default_rng(0), 500, MIN_UNSEEN - 1)
    assert not Copying().applies_to(real)
    assert not Copying().applies_to(real._replace(unseen=None))
    with pytest.raises(GanvasError, match="at least 50 samples held out of training"):
        Copying()(real, real.reference)
