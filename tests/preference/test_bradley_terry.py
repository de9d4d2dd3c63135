"""The fit of a reward: it learns a linear preference, says by how much, and finds the maximum."""

import pytest
import torch
from torch.nn.functional import logsigmoid

from ganvas.nets.reward import COMPONENTS, FEATURE_COUNT, GROUP_SIZES, FeatureMap, fit_feature_map
from ganvas.preference.bradley_terry import PRIOR_PRECISION, fit_reward, fit_weights
from ganvas.preference.learning import measure_accuracy

USUAL = torch.randn(200, FEATURE_COUNT, generator=torch.Generator().manual_seed(9))
PLAIN = FeatureMap(torch.zeros(FEATURE_COUNT), torch.eye(FEATURE_COUNT, COMPONENTS))


def draw_pairs(count: int, seed: int, noise: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs of features, the better one first: that with the larger sum of its first four."""
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(count, FEATURE_COUNT, generator=generator) for _ in range(2))
    margin = (a - b)[:, :4].sum(1) + noise * torch.randn(count, generator=generator)
    swapped = (margin < 0)[:, None]
    return torch.where(swapped, b, a), torch.where(swapped, a, b)


def test_it_learns_a_linear_preference() -> None:
    reward = fit_reward(PLAIN, USUAL, *draw_pairs(300, 0))
    assert measure_accuracy(reward, *draw_pairs(1000, 1)).share > 0.85


def test_its_unit_is_its_deviation_among_usual_samples() -> None:
    reward = fit_reward(PLAIN, USUAL, *draw_pairs(60, 0))
    assert float(reward.rate_features(USUAL).std()) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize(("count", "scale"), [(30, 1.0), (300, 0.1), (300, 30.0), (2000, 1.0)])
def test_the_weights_are_the_most_likely_ones(count: int, scale: float) -> None:
    """The slope of the log likelihood and the prior is 0 there, also where all pairs can be told apart."""
    better, worse = draw_pairs(count, 0)
    leads = ((better - worse)[:, :20] * scale).double()
    weights = fit_weights(leads).requires_grad_(True)
    objective = logsigmoid(leads @ weights).sum() - PRIOR_PRECISION / 2 * weights.square().sum()
    (slope,) = torch.autograd.grad(objective, weights)
    assert float(slope.abs().max()) < 1e-6 * count * scale


def test_the_map_weighs_kinds_of_features_alike() -> None:
    """Whatever their number and scale, and constant ones count nothing."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(400, FEATURE_COUNT, generator=generator) * torch.logspace(-2, 2, FEATURE_COUNT)
    features[:, 5] = 7.0
    mapped = fit_feature_map(features)
    again = fit_feature_map(features * 10.0)
    signs = torch.sign((mapped.projection * again.projection).sum(0))  # of a component, no sign is better
    relative = (mapped.projection - 10 * signs * again.projection).norm() / mapped.projection.norm()
    assert relative < 1e-2
    assert not mapped.projection[5].any()
    components = (features - mapped.mean) @ mapped.projection
    assert components.shape == (400, COMPONENTS)
    assert 0.9 < float(components.square().mean()) < 1.1
    assert sum(GROUP_SIZES) == FEATURE_COUNT
