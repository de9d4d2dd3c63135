"""The mixture of product distributions: EM, draws, completed rows, likelihoods, and what it refuses."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from ganvas.errors import GanvasError
from ganvas.metrics.tables.mixtures import ProductMixture, fit_mixture
from ganvas.metrics.tables.mixtures.em import count_expected_rows, estimate_parameters, start_parameters
from ganvas.metrics.tables.mixtures.shares import ShareTree, bin_column


class Ranks(NamedTuple):
    low: np.ndarray
    high: np.ndarray
    weights: np.ndarray


def categories(*weights: float) -> Ranks:
    nothing = np.full(len(weights), np.nan)
    return Ranks(nothing, nothing, np.array(weights))


def numbers(count: int, spikes: int = 0) -> Ranks:
    """`count` codes with equal intervals of ranks, then spikes that hold a tenth of the rows each."""
    edges, nothing = np.linspace(0, 1, count + 1), np.full(spikes, np.nan)
    weights = np.r_[np.full(count, (1 - spikes / 10) / count), np.full(spikes, 0.1)]
    return Ranks(np.r_[edges[:-1], nothing], np.r_[edges[1:], nothing], weights)


LAYOUTS = [categories(0.5, 0.3, 0.2), numbers(200, spikes=2), categories(0.5, 0.5), numbers(40)]


def draw_codes(n: int, seed: int = 0) -> np.ndarray:
    """Two kinds of rows: low numbers with code 0 of the first column, high ones with codes 1 and 2."""
    rng = np.random.default_rng(seed)
    kind = rng.random(n) < 0.5
    first = np.where(kind, 0, rng.choice([1, 2], n, p=[0.6, 0.4]))
    place = np.where(kind, rng.beta(2, 6, n), rng.beta(6, 2, n))
    second = np.where(rng.random(n) < 0.2, 200 + kind, (place * 200).astype(int))
    third = (rng.random(n) < np.where(kind, 0.9, 0.1)).astype(int)
    return np.stack([first, second, third, (rng.random(n) * 40).astype(int)], 1).astype(np.uint16)


def build_mixture(weights: list[float], shares: list[list[list[float]]]) -> ProductMixture:
    """A mixture over categories alone: shares[c][code][component]."""
    tree = ShareTree([categories(*np.array(column).mean(1)) for column in shares])
    log_shares = torch.tensor(np.concatenate([np.array(column) for column in shares])).float().log()
    return ProductMixture(tree, torch.tensor(weights).log(), log_shares)


KNOWN = ([0.3, 0.7], [[[0.9, 0.2], [0.1, 0.8]], [[0.6, 0.1], [0.3, 0.1], [0.1, 0.8]]])


def joint_of_known() -> np.ndarray:
    """p(first, second), float64 [2, 3], summed by hand."""
    weights, (first, second) = KNOWN
    return sum(w * np.outer(np.array(first)[:, m], np.array(second)[:, m]) for m, w in enumerate(weights))


def test_em_never_lowers_the_penalised_likelihood() -> None:
    tree = ShareTree(LAYOUTS)
    bins = torch.from_numpy(tree.find_bins(draw_codes(3000)))
    parameters = start_parameters(bins, tree, 12, torch.Generator().manual_seed(0))
    scores = list[float]()
    for _ in range(25):
        counts = count_expected_rows(bins, parameters)
        scores.append(counts.log_likelihood + parameters.prior)
        parameters = estimate_parameters(tree, counts, k=0)
    assert np.diff(scores[1:]).min() > -0.05  # of sums near 30,000 in single precision; the start has no prior yet
    assert scores[-1] > scores[1] + 100


def test_the_estimate_is_the_best_of_its_neighbours() -> None:
    """Moving the estimated shares by a little lowers counts · log shares + prior: checked in double precision by hand."""
    tree = ShareTree([categories(0.5, 0.3, 0.2)])
    counts = torch.tensor([[4.0], [1.0], [0.0]])
    log_shares, prior = tree.estimate_shares(counts)
    shares, weights = log_shares.double().exp()[:, 0].numpy(), np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(shares, (counts[:, 0].numpy() + weights) / 6, rtol=1e-6)
    assert prior == pytest.approx(float(weights @ np.log(shares)), rel=1e-5)


def test_shares_of_each_column_sum_to_one_and_neighbours_move_together() -> None:
    tree = ShareTree(LAYOUTS)
    counts = torch.zeros(tree.size, 1)
    counts[[0, int(tree.first_bins[1]) + 10, int(tree.first_bins[2]), int(tree.first_bins[3])]] = 30.0
    shares = tree.estimate_shares(counts)[0].exp()[:, 0].numpy()
    for start, end in zip(tree.first_bins, tree.first_bins[1:], strict=False):
        assert shares[start:end].sum() == pytest.approx(1, abs=1e-5)
    column = shares[tree.first_bins[1] : tree.first_bins[2]]
    assert column[10] > column[9] > 3 * column[40] > 0


def test_bins_hold_equal_shares_and_spikes_stay_alone() -> None:
    bins = bin_column(numbers(1000, spikes=3), most=50)
    held = np.bincount(bins.of_codes, numbers(1000, spikes=3).weights)
    assert bins.ordered == 50
    assert len(held) == 53
    np.testing.assert_allclose(held[:50], 0.7 / 50, rtol=1e-9)
    np.testing.assert_allclose(np.bincount(bins.of_codes, bins.shares), 1)
    assert (np.diff(bins.of_codes) >= 0).all()


def test_a_known_mixture_is_recovered() -> None:
    weights, shares = [0.3, 0.7], [[[0.95, 0.1], [0.05, 0.9]]] * 6
    known = build_mixture(weights, shares)
    codes = known.draw(20_000, seed=1)
    fitted = fit_mixture(codes, [categories(0.35, 0.65)] * 6, components=2, seconds=30)
    order = np.argsort(fitted.log_weights.numpy())
    np.testing.assert_allclose(fitted.log_weights.exp().numpy()[order], weights, atol=0.02)
    np.testing.assert_allclose(fitted.log_shares.exp().numpy()[:, order], known.log_shares.exp().numpy(), atol=0.03)
    unseen = known.draw(5000, seed=2)
    assert fitted.log_likelihood(unseen).mean() == pytest.approx(known.log_likelihood(unseen).mean(), abs=0.01)


def test_likelihood_is_that_of_the_formula_and_sums_to_one() -> None:
    mixture = build_mixture(*KNOWN)
    every = np.array([[a, b] for a in range(2) for b in range(3)], np.uint16)
    likelihoods = np.exp(mixture.log_likelihood(every))
    np.testing.assert_allclose(likelihoods.reshape(2, 3), joint_of_known(), rtol=1e-5)
    fitted = fit_mixture(draw_codes(2000), LAYOUTS, components=8, seconds=30)
    cells = np.stack(np.meshgrid(*[np.arange(len(layout.weights)) for layout in LAYOUTS], indexing="ij"), -1).reshape(-1, 4)
    assert np.exp(fitted.log_likelihood(cells.astype(np.uint16))).sum() == pytest.approx(1, abs=1e-3)


def test_draws_have_the_joint_distribution() -> None:
    codes = build_mixture(*KNOWN).draw(100_000, seed=0)
    assert codes.dtype == np.uint16
    shares = np.bincount(codes[:, 0] * 3 + codes[:, 1], minlength=6).reshape(2, 3) / len(codes)
    np.testing.assert_allclose(shares, joint_of_known(), atol=0.006)


def test_drawn_marginals_are_those_of_the_rows() -> None:
    codes = draw_codes(8000)
    drawn = fit_mixture(codes, LAYOUTS, components=16, seconds=30).draw(8000, seed=3)
    for c, layout in enumerate(LAYOUTS):
        gaps = np.cumsum(
            np.bincount(codes[:, c], minlength=len(layout.weights)) - np.bincount(drawn[:, c], minlength=len(layout.weights))
        )
        assert np.abs(gaps).max() / 8000 < 0.03
    low_if_first = [(table[table[:, 0] == 0, 1] < 100).mean() for table in (codes, drawn)]
    assert low_if_first[1] == pytest.approx(low_if_first[0], abs=0.03)


@pytest.mark.parametrize("code", [0, 1, 2])
def test_conditional_draws_agree_with_bayes(code: int) -> None:
    n = 60_000
    given = np.full((n, 2), code, np.uint16)
    given[:, 0] = 9  # not given: it may hold anything
    rows = build_mixture(*KNOWN).draw(n, 5, given, np.array([False, True]))
    assert (rows[:, 1] == code).all()
    joint = joint_of_known()[:, code]
    np.testing.assert_allclose(np.bincount(rows[:, 0], minlength=2) / n, joint / joint.sum(), atol=0.01)


def test_masks_may_differ_by_row() -> None:
    n = 40_000
    given = np.tile(np.array([[0, 1]], np.uint16), (n, 1))
    is_given = np.zeros((n, 2), bool)
    is_given[::2, 0] = True
    is_given[1::2, 1] = True
    rows = build_mixture(*KNOWN).draw(n, 5, given, is_given)
    assert (rows[is_given] == given[is_given]).all()
    joint = joint_of_known()
    np.testing.assert_allclose(np.bincount(rows[::2, 1], minlength=3) / (n / 2), joint[0] / joint[0].sum(), atol=0.012)
    np.testing.assert_allclose(np.bincount(rows[1::2, 0], minlength=2) / (n / 2), joint[:, 1] / joint[:, 1].sum(), atol=0.012)


def test_the_same_seed_gives_the_same_mixture_and_rows() -> None:
    first, second = (fit_mixture(draw_codes(1500), LAYOUTS, components=6, seconds=60, seed=4) for _ in range(2))
    assert torch.equal(first.log_shares, second.log_shares)
    np.testing.assert_array_equal(first.draw(50, seed=1), second.draw(50, seed=1))
    assert (first.draw(50, seed=1) != first.draw(50, seed=2)).any()


def test_no_component_holds_fewer_rows_than_k() -> None:
    codes = draw_codes(400)
    mixture = fit_mixture(codes, LAYOUTS, components=1000, seconds=30, k=10)
    assert 1 <= len(mixture) <= 20  # rows // 2k
    assert mixture.log_weights.exp().min() * 360 >= 9.9  # a tenth of the rows is held out


def test_it_finds_a_number_of_components_that_predicts_unseen_rows() -> None:
    codes, unseen = draw_codes(4000), draw_codes(2000, seed=9)
    found = fit_mixture(codes, LAYOUTS, seconds=4)
    alone = fit_mixture(codes, LAYOUTS, components=1, seconds=4)
    assert found.log_likelihood(unseen).mean() > alone.log_likelihood(unseen).mean() + 0.5
    assert found.log_weights.exp().sum() == pytest.approx(1, abs=1e-5)


def test_columns_with_one_code_and_tiny_tables_work() -> None:
    codes = np.zeros((2, 2), np.uint16)
    assert (fit_mixture(codes, [categories(1.0), categories(1.0)], k=1).draw(3, seed=0) == 0).all()


@pytest.mark.parametrize(
    ("codes", "settings", "words"),
    [
        (draw_codes(19), {}, "at least 20 rows"),
        (draw_codes(100)[:, :2], {}, "whole numbers"),
        (draw_codes(100).astype(float), {}, "whole numbers"),
        (draw_codes(100) + 300, {}, "column 0 holds code"),
        (draw_codes(100), {"components": 0}, "components must be 1 or more"),
        (draw_codes(100), {"seconds": 0.0}, "seconds must be above 0"),
        (draw_codes(100), {"smoothing": 0.0}, "smoothing must be above 0"),
        (draw_codes(100), {"k": 0}, "k must be 1 or more"),
    ],
)
def test_what_cannot_be_fitted_is_refused(codes: np.ndarray, settings: dict[str, int], words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        fit_mixture(codes, LAYOUTS, **settings)


def test_what_cannot_be_drawn_is_refused() -> None:
    mixture = build_mixture(*KNOWN)
    given = np.zeros((4, 2), np.uint16)
    with pytest.raises(GanvasError, match="n must be 1 or more"):
        mixture.draw(0, seed=0)
    with pytest.raises(GanvasError, match="both or neither"):
        mixture.draw(4, 0, given)
    with pytest.raises(GanvasError, match="must be codes"):
        mixture.draw(5, 0, given, np.ones(2, bool))
    with pytest.raises(GanvasError, match="column 1 holds code 3"):
        mixture.draw(4, 0, given + 3, np.array([False, True]))
    with pytest.raises(GanvasError, match="whole numbers"):
        mixture.log_likelihood(np.zeros((4, 3), np.uint16))
