"""Precision, recall, density and coverage: goldens, cases counted by hand, identical sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.core import Features
from ganvas.errors import GanvasError
from ganvas.metrics import DensityCoverage, PrecisionRecall
from ganvas.metrics.precision_recall import is_among
from small_recipes import both


def line(*values: float) -> Features:
    return Features(np.array(values)[:, None])


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("prefix", ["improved_{}_k{}", "prdc_k{1}/{0}"])
def test_golden_precision_and_recall(golden, k, prefix):
    result = PrecisionRecall(k=k)(both(Features(golden["in/real"])), Features(golden["in/fake"]))
    assert result == {name: golden["out/" + prefix.format(name, k)].item() for name in ("precision", "recall")}


def test_golden_members(golden):
    real, fake = golden["in/real"].astype(np.float64), golden["in/fake"].astype(np.float64)
    np.testing.assert_array_equal(is_among(fake, real, 3), golden["out/precision_mask_k3"].astype(bool))
    np.testing.assert_array_equal(is_among(real, fake, 3), golden["out/recall_mask_k3"].astype(bool))


@pytest.mark.parametrize("k", [3, 5])
def test_golden_density_and_coverage(golden, k):
    result = DensityCoverage(k=k)(both(Features(golden["in/real"])), Features(golden["in/fake"]))
    for name, value in result.items():
        assert value == pytest.approx(golden[f"out/prdc_k{k}/{name}"].item(), rel=1e-12)


def test_counted_by_hand():
    real, fake = line(0, 1, 2, 3), line(0.5, 10)  # real radii 1; fake radii 9.5
    assert PrecisionRecall(k=1)(both(real), fake) == {"precision": 0.5, "recall": 1.0}
    assert DensityCoverage(k=1)(both(real), fake) == {"density": 1.0, "coverage": 0.5}  # 0.5 is in two balls, 10 in none


def test_the_edge_of_a_ball_counts_for_precision_alone():
    real, fake = line(0, 1), line(2, 9)
    assert PrecisionRecall(k=1)(both(real), fake)["precision"] == 0.5
    assert DensityCoverage(k=1)(both(real), fake) == {"density": 0.0, "coverage": 0.0}


def test_an_outlier_moves_precision_but_not_density():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(300, 2)), rng.uniform(4, 20, size=(300, 2))
    outlier = Features(np.r_[real, [[30.0, 30.0]]])
    assert PrecisionRecall()(both(outlier), Features(fake))["precision"] > 0.9
    assert DensityCoverage()(both(outlier), Features(fake))["density"] < 0.3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(6, 40))
def test_a_set_covers_itself(seed, d, n):
    x = Features(np.random.default_rng(seed).normal(size=(n, d)))
    assert PrecisionRecall()(both(x), x) == {"precision": 1.0, "recall": 1.0}
    assert DensityCoverage()(both(x), x)["coverage"] == 1.0


def test_one_fake_is_enough_for_coverage_but_not_for_recall():
    real, one = line(*range(10)), line(4.4)
    assert DensityCoverage()(both(real), one)["coverage"] == pytest.approx(1.0)
    with pytest.raises(GanvasError, match="at least 2"):
        PrecisionRecall()(both(real), one)


def test_both_want_held_out_samples():
    assert PrecisionRecall().against == DensityCoverage().against == "held-out"
    assert PrecisionRecall().samples == DensityCoverage().samples == 5_000


# ---------------------------------------------------------------- copies


def test_where_real_samples_have_copies_the_metrics_say_that_they_doubt_their_scores():
    points = np.random.default_rng(0).normal(size=(60, 16))
    copied = Features(np.repeat(points, 6, 0))
    assert DensityCoverage()(both(copied), copied) == {"density": 0.0, "coverage": 0.0}  # by its definition
    assert DensityCoverage().describe_doubt(both(copied), 360) == (
        "density, coverage: 360 of 360 real samples have 5 or more copies, and nothing counts as near them: "
        "coverage is 0.00 at most"
    )
    assert PrecisionRecall().describe_doubt(both(copied), 360) == (
        "precision, recall: 360 of 360 real samples have 3 or more copies, and only exact copies count as near them"
    )
    some = Features(np.vstack([points, np.repeat(points[:10], 5, 0)]))
    assert DensityCoverage().describe_doubt(both(some), 110).endswith("coverage is 0.45 at most")
    assert DensityCoverage()(both(some), some)["coverage"] == pytest.approx(50 / 110)
    assert DensityCoverage(k=6).describe_doubt(both(some), 110) == PrecisionRecall(k=6).describe_doubt(both(some), 110) == ""


def test_a_copy_in_a_hundred_is_no_matter():
    points = np.random.default_rng(0).normal(size=(700, 4))
    few_copies = Features(np.vstack([points, np.repeat(points[:1], 5, 0)]))
    assert DensityCoverage().describe_doubt(both(few_copies), 700) == ""
    assert PrecisionRecall().describe_doubt(both(few_copies), 700) == ""
