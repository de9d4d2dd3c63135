"""Gaussians in blocks against closed forms, and maps of quantiles."""

import pytest
import torch
from torch.distributions import MultivariateNormal

from ganvas.gaussian_blocks import GaussianBlocks, complete_blocks, draw_blocks, score_blocks, score_known_blocks
from ganvas.quantile_maps import apply_quantile_maps, invert_quantile_maps, tabulate_quantile_maps

M, G, B = 3, 2, 4


def draw_parameters() -> GaussianBlocks:
    torch.manual_seed(0)
    return GaussianBlocks(torch.randn(M, G, B), torch.randn(M, G, B, B).tril(-1) * 0.5 + torch.eye(B) * 0.7)


BLOCKS = draw_parameters()
COVARIANCES = BLOCKS.factors @ BLOCKS.factors.mT


def test_densities_are_those_of_normal_distributions() -> None:
    x = torch.randn(50, G, B)
    normal = MultivariateNormal(BLOCKS.means, scale_tril=BLOCKS.factors)
    expected = normal.log_prob(x[:, None]).sum(2)
    assert torch.allclose(score_blocks(x, BLOCKS), expected, rtol=1e-4, atol=1e-4)
    everything = torch.ones_like(x, dtype=torch.bool)
    assert torch.allclose(score_known_blocks(x, everything, BLOCKS), expected, rtol=1e-3, atol=1e-2)


def test_of_what_is_known_the_density_is_the_marginal_one() -> None:
    x, is_known = torch.randn(40, G, B), torch.rand(40, G, B) < 0.5
    found = score_known_blocks(x, is_known, BLOCKS)
    for i in range(40):
        for m in range(M):
            expected = 0.0
            for g in range(G):
                k = is_known[i, g]
                if k.any():
                    normal = MultivariateNormal(BLOCKS.means[m, g, k], COVARIANCES[m, g][k][:, k])
                    expected += float(normal.log_prob(x[i, g, k]))
            assert float(found[i, m]) == pytest.approx(expected, abs=0.01)


def test_completed_draws_have_the_conditional_distribution() -> None:
    n, m, k = 100_000, 1, torch.tensor([True, False, True, False])
    x, is_known = torch.tensor([0.7, 9.0, -0.4, 9.0]).expand(n, G, B), k.expand(n, G, B)
    components = torch.full((n,), m)
    drawn = draw_blocks(BLOCKS, components, torch.randn(n, G, B))
    completed = complete_blocks(BLOCKS, components, drawn, x, is_known)
    assert torch.allclose(completed[:, :, k], x[:, :, k], atol=1e-3)
    for g in range(G):
        own, gain = COVARIANCES[m, g], COVARIANCES[m, g][~k][:, k] @ COVARIANCES[m, g][k][:, k].inverse()
        mean = BLOCKS.means[m, g, ~k] + gain @ (x[0, g, k] - BLOCKS.means[m, g, k])
        covariance = own[~k][:, ~k] - gain @ own[k][:, ~k]
        assert torch.allclose(completed[:, g][:, ~k].mean(0), mean, atol=0.02)
        assert torch.allclose(torch.cov(completed[:, g][:, ~k].T), covariance, atol=0.02)


def test_nothing_known_changes_nothing() -> None:
    x = torch.randn(6, G, B)
    nothing = torch.zeros_like(x, dtype=torch.bool)
    assert torch.equal(score_known_blocks(x, nothing, BLOCKS), torch.zeros(6, M))
    assert torch.equal(complete_blocks(BLOCKS, torch.zeros(6, dtype=torch.long), x, x + 1, nothing), x)


def test_quantile_maps_make_a_mixture_normal_and_lead_back() -> None:
    weights, means, sigmas = (
        torch.tensor([[0.3, 0.5], [0.7, 0.5]]),
        torch.tensor([[-1.0, 0.2], [0.5, 0.2]]),
        torch.full((2, 2), 0.4),
    )
    maps = tabulate_quantile_maps(weights, means, sigmas)
    component = (torch.rand(200_000, 1) < 0.7).long()
    x = torch.cat([means[component[:, 0], :1] + 0.4 * torch.randn(200_000, 1), 0.2 + 0.4 * torch.randn(200_000, 1)], 1)
    scores = apply_quantile_maps(x, maps)
    ranks = torch.special.ndtr(scores).sort(0).values
    assert (ranks - torch.linspace(0, 1, 200_000)[:, None]).abs().max() < 0.005
    assert (apply_quantile_maps(invert_quantile_maps(scores, maps), maps) - scores).abs().max() < 1e-3
    assert tabulate_quantile_maps(*(torch.zeros(2, 0),) * 3).shape[0] == 0
