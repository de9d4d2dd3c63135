"""Maps that give a mixture's numbers the standard normal distribution, each column by itself, and back."""

import torch
from torch import Tensor

REACH, KNOTS = 6.0, 257  # maps are straight between so many equal steps from -REACH to REACH
LEAST_RANK = 1e-6


def tabulate_quantile_maps(weights: Tensor, means: Tensor, sigmas: Tensor) -> Tensor:
    """The normal score that each knot stands for, rising: float32 [R, KNOTS].

    Args:
        weights, means, sigmas: of M Gaussians for each of R columns, [M, R].
    """
    knots = torch.linspace(-REACH, REACH, KNOTS, dtype=torch.float64)
    shares = (weights / weights.sum(0)).double()
    maps = list[Tensor]()
    for r in range(means.shape[1]):
        ends = torch.special.ndtr((knots - means[:, r, None].double()) / sigmas[:, r, None].double())
        ranks = (shares[:, r, None] * ends).sum(0).clamp(LEAST_RANK, 1 - LEAST_RANK)
        maps.append(torch.special.ndtri(ranks).float())
    return torch.stack(maps) if maps else torch.zeros(0, KNOTS)


def apply_quantile_maps(x: Tensor, maps: Tensor) -> Tensor:
    """A mixture's numbers [N, R] as normal scores."""
    places = (x.clamp(-REACH, REACH) + REACH) * ((KNOTS - 1) / (2 * REACH))
    first = places.long().clamp(max=KNOTS - 2)
    rows = torch.arange(len(maps), device=x.device)
    return torch.lerp(maps[rows, first], maps[rows, first + 1], places - first)


def invert_quantile_maps(scores: Tensor, maps: Tensor) -> Tensor:
    """Normal scores [N, R] as the mixture's numbers."""
    next_knots = torch.searchsorted(maps, scores.T.contiguous()).clamp(1, KNOTS - 1)
    low, high = maps.gather(1, next_knots - 1), maps.gather(1, next_knots)
    share = ((scores.T - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)
    return ((next_knots - 1 + share) * (2 * REACH / (KNOTS - 1)) - REACH).T
