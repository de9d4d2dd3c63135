"""Gaussians that the components of a mixture have, in blocks: densities, draws, and draws that fit known numbers.

Numbers within a block hang together. Blocks are independent of each other, so that many numbers need no huge matrix.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class GaussianBlocks(NamedTuple):
    """M components of G blocks of b numbers each."""

    means: Tensor  # float32 [M, G, b]
    factors: Tensor  # float32 [M, G, b, b]: lower triangles L of covariances L Lᵀ


def score_blocks(x: Tensor, blocks: GaussianBlocks) -> Tensor:
    """The log-density of x [N, G, b] under each component, [N, M], in nats."""
    total = torch.zeros(len(x), len(blocks.means), device=x.device)
    for g in range(x.shape[1]):
        total += _score_normal(x[:, g], blocks.means[:, g], blocks.factors[:, g])
    return total


def score_known_blocks(x: Tensor, is_known: Tensor, blocks: GaussianBlocks) -> Tensor:
    """The log-density of the known numbers alone: x [N, G, b], is_known bool [N, G, b] -> [N, M]."""
    total = torch.zeros(len(x), len(blocks.means), device=x.device)
    for g, rows, places in _list_patterns(is_known):
        part = blocks.factors[:, g, places]
        total[rows] += _score_normal(x[rows, g][:, places], blocks.means[:, g, places], _factorise(part @ part.mT))
    return total


def draw_blocks(blocks: GaussianBlocks, components: Tensor, noise: Tensor) -> Tensor:
    """A draw for each row, [N, G, b], from components int64 [N] and standard normal numbers [N, G, b]."""
    return blocks.means[components] + (blocks.factors[components] @ noise[..., None])[..., 0]


def complete_blocks(blocks: GaussianBlocks, components: Tensor, drawn: Tensor, x: Tensor, is_known: Tensor) -> Tensor:
    """Draws [N, G, b] moved so that they fit the known numbers x [N, G, b]: exact draws given those.

    The move is the expected change, given how far a draw lies from what is known ("Matheron's rule"; Journel 1974).
    """
    moved = drawn.clone()
    for g, rows, places in _list_patterns(is_known):
        own, of_rows = components[rows].unique(return_inverse=True)
        factors = blocks.factors[own, g]
        part = factors[:, places]
        gains = torch.cholesky_solve(part @ factors.mT, _factorise(part @ part.mT)).mT  # [m, b, k]
        gaps = (x[rows, g] - drawn[rows, g])[:, places, None]
        moved[rows, g] += (gains[of_rows] @ gaps)[..., 0]
    return moved


def _score_normal(x: Tensor, means: Tensor, factors: Tensor) -> Tensor:
    """log N(x; mean, factor factorᵀ) for x [n, k] and M components: [n, M]."""
    count, size = means.shape
    inverse = torch.linalg.solve_triangular(factors, torch.eye(size, device=x.device).expand_as(factors), upper=False)
    shifts = (inverse @ means[..., None]).flatten()
    squares = (x @ inverse.flatten(0, 1).mT - shifts).view(-1, count, size).square_().sum(2)
    return squares.add_(size * LOG_2PI).mul_(-0.5).sub_(factors.diagonal(dim1=1, dim2=2).log().sum(1))


def _factorise(covariances: Tensor) -> Tensor:
    """The lower triangles of covariances [n, k, k]; a little is added to each variance, against rounding."""
    size = covariances.shape[-1]
    scale = covariances.diagonal(dim1=1, dim2=2).mean(1).view(-1, 1, 1)
    return torch.linalg.cholesky(covariances + 1e-5 * scale * torch.eye(size, device=covariances.device))


def _list_patterns(is_known: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
    """For each block and each pattern of known numbers there: (the block, the rows with it, the places that are known)."""
    for g in range(is_known.shape[1]):
        patterns, of_rows = is_known[:, g].unique(dim=0, return_inverse=True)
        for p, pattern in enumerate(patterns):
            if pattern.any():
                yield g, (of_rows == p).nonzero()[:, 0], pattern.nonzero()[:, 0]
