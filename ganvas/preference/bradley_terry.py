"""Fit a reward to choices: maximum likelihood of −log σ(r(better) − r(worse)). Bradley & Terry 1952.

Each network of the ensemble leaves out a fifth of the pairs, another one each, and stops where their likelihood is best.
"""

from math import sqrt

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ..core import seeded_generator
from ..nets.reward import COMPONENTS, HIDDEN, MEMBERS, FeatureMap, Reward, rate_components

STEPS, LEARNING_RATE, WEIGHT_DECAY, STOPPING_SHARE = 200, 3e-3, 1e-2, 0.2


def fit_reward(feature_map: FeatureMap, usual: Tensor, better: Tensor, worse: Tensor, seed: int) -> Reward:
    """A reward for pairs with these features, [N, FEATURE_COUNT] each. Among `usual` samples its deviation is 1."""
    reward = Reward()
    better, worse = ((features - feature_map.mean) @ feature_map.projection for features in (better, worse))
    names = ("mean", "projection", "hidden_weight", "hidden_bias", "last_weight")
    reward.load_state_dict(dict(zip(names, (*feature_map, *fit_members(better, worse, seed)), strict=True)))
    reward.last_weight /= reward.rate_features(usual).std().clamp(min=1e-6)
    return reward


def fit_members(better: Tensor, worse: Tensor, seed: int) -> list[Tensor]:
    """The weights of the members, as `rate_components` takes them, for pairs with these components."""
    stopping = draw_stopping_parts(len(better), seed)
    parameters = [value.requires_grad_(True) for value in draw_weights(seed)]
    best, lowest = [value.detach().clone() for value in parameters], torch.full((MEMBERS,), torch.inf)
    optimiser = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(STEPS):
        losses = softplus(rate_components(worse, *parameters) - rate_components(better, *parameters))  # [MEMBERS, N]
        stopping_losses = (losses.detach() * stopping).sum(1) / stopping.sum(1)
        for index in (stopping_losses < lowest).nonzero().flatten().tolist():
            lowest[index] = stopping_losses[index]
            for kept, value in zip(best, parameters, strict=True):
                kept[index] = value[index].detach()
        training_loss = ((losses * ~stopping).sum(1) / (~stopping).sum(1)).sum()
        for value, gradient in zip(parameters, torch.autograd.grad(training_loss, parameters), strict=True):
            value.grad = gradient
        optimiser.step()
    return best


def draw_weights(seed: int) -> list[Tensor]:
    """The first weights of the members, as `rate_components` takes them."""
    generator = seeded_generator(seed, "reward")
    hidden = torch.randn(MEMBERS, COMPONENTS, HIDDEN, generator=generator) / sqrt(COMPONENTS)
    last = torch.randn(MEMBERS, HIDDEN, 1, generator=generator) / sqrt(HIDDEN)
    return [hidden, torch.zeros(MEMBERS, 1, HIDDEN), last]


def draw_stopping_parts(count: int, seed: int) -> Tensor:
    """Which pairs each member stops by, bool [MEMBERS, count]."""
    generator = seeded_generator(seed, "stopping")
    places = torch.stack([torch.randperm(count, generator=generator) for _ in range(MEMBERS)])
    return places < max(1, round(STOPPING_SHARE * count))
