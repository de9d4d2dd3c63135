"""The mixture of rows: EM, draws, the number of components, and what it refuses."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from ganvas.errors import GanvasError
from ganvas.gaussian_blocks import GaussianBlocks
from ganvas.metrics.tables.mixtures import RowMixture, choose_mixture, fit_mixture
from ganvas.metrics.tables.mixtures.em import (
    CodedRows,
    Parameters,
    count_expected_rows,
    estimate_parameters,
    measure_likelihood,
    start_parameters,
)
from ganvas.metrics.tables.mixtures.scores import ScoreBlocks, group_columns
from ganvas.metrics.tables.mixtures.shares import PRIOR_ROWS, ShareTree, bin_column


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
NO_BLOCKS = np.zeros((0, 0), np.int64)


def draw_codes(n: int, seed: int = 0) -> np.ndarray:
    """Two kinds of rows: low numbers with code 0 of the first column, high ones with codes 1 and 2."""
    rng = np.random.default_rng(seed)
    kind = rng.random(n) < 0.5
    first = np.where(kind, 0, rng.choice([1, 2], n, p=[0.6, 0.4]))
    place = np.where(kind, rng.beta(2, 6, n), rng.beta(6, 2, n))
    second = np.where(rng.random(n) < 0.2, 200 + kind, place.argsort().argsort() * 200 // n)
    third = (rng.random(n) < np.where(kind, 0.9, 0.1)).astype(int)
    return np.stack([first, second, third, (rng.random(n) * 40).astype(int)], 1).astype(np.uint16)


def build_mixture(weights: list[float], shares: list[list[list[float]]]) -> RowMixture:
    """A mixture over categories alone: shares[c][code][component]."""
    layouts = [categories(*np.array(column).mean(1)) for column in shares]
    log_shares = torch.tensor(np.concatenate([np.array(column) for column in shares])).float().log()
    gaussians = GaussianBlocks(torch.zeros(len(weights), 0, 0), torch.zeros(len(weights), 0, 0, 0))
    return RowMixture(ShareTree(layouts), ScoreBlocks(layouts, NO_BLOCKS), torch.tensor(weights).log(), log_shares, gaussians)


def measure_mixture(mixture: RowMixture, codes: np.ndarray, seed: int = 0) -> float:
    """The mean log-likelihood of rows under a mixture."""
    rows = CodedRows(
        torch.from_numpy(mixture.tree.find_bins(codes)), mixture.blocks.draw_scores(codes, np.random.default_rng(seed))
    )
    return measure_likelihood(rows, Parameters(mixture.log_weights, mixture.log_shares, mixture.gaussians))


KNOWN = ([0.3, 0.7], [[[0.9, 0.2], [0.1, 0.8]], [[0.6, 0.1], [0.3, 0.1], [0.1, 0.8]]])


def joint_of_known() -> np.ndarray:
    """p(first, second), float64 [2, 3], summed by hand."""
    weights, (first, second) = KNOWN
    return sum(w * np.outer(np.array(first)[:, m], np.array(second)[:, m]) for m, w in enumerate(weights))


def test_em_never_lowers_the_penalised_likelihood() -> None:
    layouts = [LAYOUTS[0], LAYOUTS[2], LAYOUTS[3]]
    tree, codes = ShareTree(layouts), draw_codes(3000)[:, [0, 2, 3]]
    rows = CodedRows(torch.from_numpy(tree.find_bins(codes)), torch.zeros(3000, 0, 0))
    parameters = start_parameters(rows, tree, 12, torch.Generator().manual_seed(0))
    scores = list[float]()
    for _ in range(25):
        counts = count_expected_rows(rows, parameters)
        scores.append(counts.log_likelihood + parameters.prior)
        parameters = estimate_parameters(tree, counts, k=0)
    assert np.diff(scores[1:]).min() > -0.05  # of sums near 30,000 in single precision; the start has no prior yet
    assert scores[-1] > scores[1]


def test_gaussians_of_scores_are_recovered() -> None:
    """Two kinds of rows whose two ranks hang together, once rising and once falling."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_000, 2))
    x[:, 1] = 0.3 * x[:, 1] + np.where(np.arange(20_000) % 2, 0.95, -0.95) * x[:, 0]
    ranks = x.argsort(0).argsort(0) * 400 // 20_000
    codes = np.c_[ranks, np.arange(20_000) % 2].astype(np.uint16)
    layouts = [numbers(400), numbers(400), categories(0.5, 0.5)]
    mixture = fit_mixture(codes, layouts, components=8)
    correlations = np.sort([np.corrcoef(codes[codes[:, 2] == kind, :2].T)[0, 1] for kind in (0, 1)])
    drawn = mixture.draw(20_000, seed=1)
    found = np.sort([np.corrcoef(drawn[drawn[:, 2] == kind, :2].T)[0, 1] for kind in (0, 1)])
    np.testing.assert_allclose(found, correlations, atol=0.02)
    assert np.abs(np.bincount(drawn[:, 0], minlength=400).cumsum() / 20_000 - np.linspace(1 / 400, 1, 400)).max() < 0.02


def test_wide_tables_are_cut_into_blocks_that_hang_together() -> None:
    rng = np.random.default_rng(0)
    factors = rng.random((2000, 2))
    codes = np.stack([(150 * factors[:, k % 2] ** 1.1).astype(np.uint16) for k in range(50)], 1)
    blocks = group_columns(codes, [numbers(150)] * 50, [True] * 50)
    assert blocks.columns.shape == (2, 32)
    assert {int(column) % 2 for column in blocks.columns[0][:25]} <= {0, 1}
    assert sorted(column for column in blocks.columns.flat if column < 50) == list(range(50))
    assert (np.isin(np.arange(0, 50, 2), blocks.columns[0])).all()  # those that follow the first column
    assert fit_mixture(codes, [numbers(150)] * 50, components=3).draw(10, seed=0).shape == (10, 50)


def test_the_estimate_is_the_best_of_its_neighbours() -> None:
    """Moving the estimated shares by a little lowers counts · log shares + prior: checked in double precision by hand."""
    tree = ShareTree([categories(0.5, 0.3, 0.2)])
    counts = torch.tensor([[4.0], [1.0], [0.0]])
    log_shares, prior = tree.estimate_shares(counts)
    shares, weights = log_shares.double().exp()[:, 0].numpy(), np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(shares, (counts[:, 0].numpy() + PRIOR_ROWS * weights) / (5 + PRIOR_ROWS), rtol=1e-5)
    assert prior == pytest.approx(PRIOR_ROWS * float(weights @ np.log(shares)), rel=1e-5)


def test_shares_of_each_column_sum_to_one_and_neighbours_move_together() -> None:
    tree = ShareTree(LAYOUTS)
    counts = torch.zeros(tree.size, 1)
    counts[[0, int(tree.first_bins[1]), int(tree.first_bins[2]), int(tree.first_bins[3]) + 10]] = 30.0
    shares = tree.estimate_shares(counts)[0].exp()[:, 0].numpy()
    for start, end in zip(tree.first_bins, tree.first_bins[1:], strict=False):
        assert shares[start:end].sum() == pytest.approx(1, abs=1e-5)
    column = shares[tree.first_bins[3] : tree.first_bins[4]]
    assert column[10] > column[9] > 3 * column[30] > 0


def test_few_values_have_bins_of_their_own_and_many_are_gaussian() -> None:
    many, few = bin_column(numbers(1000, spikes=3)), bin_column(numbers(50, spikes=3))
    assert (many.ordered, many.is_gaussian, many.of_codes.max()) == (1, True, 3)
    assert (many.of_codes[:1000] == 0).all()
    assert (few.ordered, few.is_gaussian) == (50, False)
    np.testing.assert_array_equal(few.of_codes, np.arange(53))


def test_a_known_mixture_is_recovered() -> None:
    weights, shares = [0.3, 0.7], [[[0.95, 0.1], [0.05, 0.9]]] * 6
    known = build_mixture(weights, shares)
    codes = known.draw(20_000, seed=1)
    fitted = fit_mixture(codes, [categories(0.35, 0.65)] * 6, components=2)
    order = np.argsort(fitted.log_weights.numpy())
    np.testing.assert_allclose(fitted.log_weights.exp().numpy()[order], weights, atol=0.02)
    np.testing.assert_allclose(fitted.log_shares.exp().numpy()[:, order], known.log_shares.exp().numpy(), atol=0.03)
    unseen = known.draw(5000, seed=2)
    assert measure_mixture(fitted, unseen) == pytest.approx(measure_mixture(known, unseen), abs=0.01)


def test_draws_have_the_joint_distribution() -> None:
    codes = build_mixture(*KNOWN).draw(100_000, seed=0)
    assert codes.dtype == np.uint16
    shares = np.bincount(codes[:, 0] * 3 + codes[:, 1], minlength=6).reshape(2, 3) / len(codes)
    np.testing.assert_allclose(shares, joint_of_known(), atol=0.006)


def test_drawn_marginals_are_those_of_the_rows() -> None:
    codes = draw_codes(8000)
    drawn = fit_mixture(codes, LAYOUTS, components=16).draw(8000, seed=3)
    for c, layout in enumerate(LAYOUTS):
        gaps = np.cumsum(
            np.bincount(codes[:, c], minlength=len(layout.weights)) - np.bincount(drawn[:, c], minlength=len(layout.weights))
        )
        assert np.abs(gaps).max() / 8000 < 0.03
    low_if_first = [(table[table[:, 0] == 0, 1] < 100).mean() for table in (codes, drawn)]
    assert low_if_first[1] == pytest.approx(low_if_first[0], abs=0.03)


def test_the_same_seed_gives_the_same_mixture_and_rows() -> None:
    first, second = (fit_mixture(draw_codes(1500), LAYOUTS, components=6, seed=4) for _ in range(2))
    assert torch.equal(first.log_shares, second.log_shares)
    np.testing.assert_array_equal(first.draw(50, seed=1), second.draw(50, seed=1))
    assert (first.draw(50, seed=1) != first.draw(50, seed=2)).any()


def test_no_component_holds_fewer_rows_than_k() -> None:
    codes = draw_codes(400)
    mixture = fit_mixture(codes, LAYOUTS, components=1000, k=10)
    assert 1 <= len(mixture) <= 20  # rows // 2k
    assert mixture.log_weights.exp().min() * 360 >= 9.9  # a tenth of the rows is held out


def test_it_finds_a_number_of_components_that_predicts_unseen_rows() -> None:
    codes, unseen = draw_codes(4000), draw_codes(2000, seed=9)
    chosen, alone = choose_mixture(codes, LAYOUTS, 1024, 0), fit_mixture(codes, LAYOUTS, components=1)
    assert measure_mixture(chosen, unseen) > measure_mixture(alone, unseen) + 0.5
    assert chosen.log_weights.exp().sum() == pytest.approx(1, abs=1e-5)


def test_columns_with_one_code_and_tiny_tables_work() -> None:
    codes = np.zeros((2, 2), np.uint16)
    assert (fit_mixture(codes, [categories(1.0), categories(1.0)], components=1, k=1).draw(3, seed=0) == 0).all()


@pytest.mark.parametrize(
    ("codes", "settings", "words"),
    [
        (draw_codes(19), {}, "at least 20 rows"),
        (draw_codes(100)[:, :2], {}, "whole numbers"),
        (draw_codes(100).astype(float), {}, "whole numbers"),
        (draw_codes(100) + 300, {}, "column 0 holds code"),
        (draw_codes(100), {"components": 0}, "components must be 1 or more"),
        (draw_codes(100), {"smoothing": 0.0}, "smoothing must be above 0"),
        (draw_codes(100), {"k": 0}, "k must be 1 or more"),
    ],
)
def test_what_cannot_be_fitted_is_refused(codes: np.ndarray, settings: dict[str, int], words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        fit_mixture(codes, LAYOUTS, **{"components": 4, **settings})


def test_no_rows_cannot_be_drawn() -> None:
    with pytest.raises(GanvasError, match="n must be 1 or more"):
        build_mixture(*KNOWN).draw(0, seed=0)


def test_the_last_mixture_is_remembered_for_the_same_rows_alone() -> None:
    codes = draw_codes(600)
    first = choose_mixture(codes, LAYOUTS, 64, seed=0)
    assert choose_mixture(codes.copy(), LAYOUTS, 64, seed=0) is first
    assert choose_mixture(codes, LAYOUTS, 64, seed=1) is not first
    assert choose_mixture(codes[::-1], LAYOUTS, 64, seed=1) is not choose_mixture(codes, LAYOUTS, 64, seed=1)
