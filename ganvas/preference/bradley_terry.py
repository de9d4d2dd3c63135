"""Fit a reward to choices: the most likely weights of −log σ(r(better) − r(worse)), and a prior. Bradley & Terry 1952.

The prior is normal and alike in all components, so that few choices make a simple reward. There is one maximum, which
Newton's method finds.
"""

import torch
from torch import Tensor

from ..nets.reward import FeatureMap, Reward

PRIOR_PRECISION, STEPS = 20.0, 30


def fit_reward(feature_map: FeatureMap, usual: Tensor, better: Tensor, worse: Tensor) -> Reward:
    """A reward for pairs with these features, [N, FEATURE_COUNT] each. Among `usual` samples its deviation is 1."""
    reward = Reward()
    weights = fit_weights((better - worse) @ feature_map.projection)
    reward.load_state_dict({"mean": feature_map.mean, "weight": feature_map.projection @ weights})
    reward.weight /= reward.rate_features(usual).std().clamp(min=1e-6)
    return reward


def fit_weights(leads: Tensor) -> Tensor:
    """w [K] that minimises Σ −log σ(leads·w) + PRIOR_PRECISION/2·|w|², for leads [N, K] of better samples over worse ones."""
    rows, prior = leads.double(), PRIOR_PRECISION * torch.eye(leads.shape[1], dtype=torch.float64)
    weights = torch.zeros(leads.shape[1], dtype=torch.float64)
    for _ in range(STEPS):
        doubt = torch.sigmoid(-rows @ weights)
        slope = rows.T @ doubt - PRIOR_PRECISION * weights
        weights = weights + torch.linalg.solve(rows.T @ (rows * (doubt * (1 - doubt))[:, None]) + prior, slope)
    return weights.to(leads.dtype)
