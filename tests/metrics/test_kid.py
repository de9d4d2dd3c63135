"""Kernel distance: goldens with their subsets, the definition spelt out, seeds."""

import numpy as np
import pytest

from ganvas.core import Features
from ganvas.errors import GanvasError
from ganvas.metrics.kid import KID, kernel_distance
from small_recipes import both


def scored(seed: int, n: int = 40, d: int = 5) -> Features:
    return Features(np.random.default_rng(seed).normal(size=(n, d)))


def test_golden_subsets(golden):
    real, fake = golden["in/real"].astype(np.float64), golden["in/fake"].astype(np.float64)
    rows = zip(golden["in/kid_idx_real"], golden["in/kid_idx_fake"], strict=True)
    values = [kernel_distance(real[r], fake[f]) for r, f in rows]
    np.testing.assert_allclose(values, golden["out/kid_subsets"], rtol=1e-10)
    assert np.mean(values) == pytest.approx(golden["out/kid_mean"].item(), rel=1e-10)
    assert np.std(values) == pytest.approx(golden["out/kid_std"].item(), rel=1e-9)


def test_golden_of_all_samples(golden):
    result = KID(subsets=1, subset_size=10_000)(both(Features(golden["in/real"])), Features(golden["in/fake"]))
    assert result["kid"] == pytest.approx(golden["out/kid_full_unbiased"].item(), rel=1e-10)
    assert result["kid_std"] == 0


def test_definition_pair_by_pair():
    x, y = scored(0, 4, 3).features, scored(1, 5, 3).features

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    xx = np.mean([k(x[i], x[j]) for i in range(4) for j in range(4) if i != j])
    yy = np.mean([k(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(xx + yy - 2 * xy, rel=1e-12)


def test_unbiased_over_many_draws_of_one_distribution():
    values = [kernel_distance(scored(2 * i, 20).features, scored(2 * i + 1, 20).features) for i in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20  # four standard errors; the biased form is 17 off


def test_seed_decides_the_subsets():
    real, fake = scored(0), scored(1)
    metric = KID(subsets=3, subset_size=10, seed=5)
    assert metric(both(real), fake) == metric(both(real), fake)
    assert metric(both(real), fake) != KID(subsets=3, subset_size=10, seed=6)(both(real), fake)


def test_subsets_have_no_sample_twice():
    # 40 samples in subsets of 40: with repeats the subsets would differ.
    assert KID(subsets=5, subset_size=40)(both(scored(0)), scored(1))["kid_std"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("settings", [{"subsets": 0}, {"subset_size": 1}])
def test_impossible_subsets_are_refused(settings):
    with pytest.raises(GanvasError, match="1 subset of 2 samples or more"):
        KID(**settings)(both(scored(0)), scored(1))


def test_a_spread_of_subsets_that_are_all_the_same_is_doubted():
    x = Features(np.random.default_rng(0).normal(size=(40, 4)))
    assert KID()(both(x), x)["kid_std"] == pytest.approx(0, abs=1e-12)
    assert KID().describe_doubt(both(x), 40) == "kid_std: each subset holds all 40 samples, so there is no spread"
    assert KID(subset_size=39).describe_doubt(both(x), 40) == KID().describe_doubt(both(x), 30) == ""
    assert KID(subset_size=39)(both(x), x)["kid_std"] > 0
