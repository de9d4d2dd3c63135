"""Expectation and maximisation for a mixture: shares of categories and of few values, and Gaussians of other ranks."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from ....gaussian_blocks import GaussianBlocks, score_blocks
from .shares import ShareTree

CHUNK_CELLS = 2**19  # rows x components at a time, so that they stay in the processor's cache
START_ROWS = 3.0  # the weight of the row that a component starts from
START_SMOOTHING = 2.0
START_SIGMA = 0.5  # of each score, around that row's
SPLIT_SIGMA = 0.6  # of a component's own, in each part of it
POOLED_ROWS = 1.0  # so many rows with the average covariance of all components are added to each one's own
LEAST_SIGMA = 0.01  # of a score


class CodedRows(NamedTuple):
    """N rows as EM sees them."""

    bins: Tensor  # int32 [N, C], numbered through all columns
    scores: Tensor  # float32 [N, G, b], in blocks

    def select(self, rows: Tensor) -> "CodedRows":
        return CodedRows(self.bins[rows], self.scores[rows])

    def split(self, size: int) -> "list[CodedRows]":
        return [CodedRows(*part) for part in zip(self.bins.split(size), self.scores.split(size), strict=True)]


class Parameters(NamedTuple):
    """What EM estimates, for M components and B bins."""

    log_weights: Tensor  # float32 [M]
    log_shares: Tensor  # float32 [B, M]
    gaussians: GaussianBlocks
    prior: float = 0.0  # the part of the shares' prior in the penalised log-likelihood, in nats


class ExpectedCounts(NamedTuple):
    """How many rows each component is held to have made, in which bins, and with which scores."""

    components: Tensor  # float32 [M]
    bins: Tensor  # float32 [B, M]
    sums: Tensor  # float32 [M, G, b], of scores
    products: Tensor  # float32 [M, G, b, b], of scores
    log_likelihood: float  # of all rows together, in nats, under the parameters that the counts come from


def start_parameters(rows: CodedRows, tree: ShareTree, components: int, generator: torch.Generator) -> Parameters:
    """M components of equal weight, each around one random row and far from being it alone."""
    picks = torch.randperm(len(rows.bins), generator=generator)[:components]
    first_rows = START_ROWS * (0.5 + torch.rand(rows.bins.shape[1], len(picks), generator=generator))  # two equal rows part
    counts = torch.zeros(tree.size, len(picks)).scatter_(0, rows.bins[picks].long().T, first_rows)
    log_shares, _ = tree.estimate_shares(counts, START_SMOOTHING)
    means = rows.scores[picks]
    factors = (START_SIGMA * torch.eye(means.shape[2])).expand(*means.shape, -1)
    return Parameters(torch.full((len(picks),), -math.log(len(picks))), log_shares, GaussianBlocks(means, factors))


def split_components(
    rows: CodedRows, tree: ShareTree, parent: Parameters, components: int, generator: torch.Generator
) -> Parameters:
    """More components of equal weight, each around one random row, and otherwise a smaller copy of that row's component."""
    picks = rows.select(torch.randperm(len(rows.bins), generator=generator)[:components])
    parts = picks.split(max(1, CHUNK_CELLS // len(parent.log_weights)))
    of = torch.cat([score_rows(part, parent).argmax(1) for part in parts])
    first_rows = START_ROWS * (0.5 + torch.rand(picks.bins.shape[1], len(of), generator=generator))
    counts = START_ROWS * parent.log_shares.exp()[:, of]
    log_shares, _ = tree.estimate_shares(counts.scatter_add_(0, picks.bins.long().T, first_rows))
    gaussians = GaussianBlocks(picks.scores, SPLIT_SIGMA * parent.gaussians.factors[of])
    return Parameters(torch.full((len(of),), -math.log(len(of))), log_shares, gaussians)


def score_rows(rows: CodedRows, parameters: Parameters) -> Tensor:
    """log w_m + log p_m(row), float32 [N, M]."""
    logs = embedding_bag(rows.bins, parameters.log_shares, mode="sum").add_(parameters.log_weights)
    return logs.add_(score_blocks(rows.scores, parameters.gaussians))


def count_expected_rows(rows: CodedRows, parameters: Parameters) -> ExpectedCounts:
    """The E step."""
    means, factors = parameters.gaussians
    components, counts = torch.zeros_like(parameters.log_weights), torch.zeros_like(parameters.log_shares)
    sums, products, log_likelihood = torch.zeros_like(means), torch.zeros_like(factors), 0.0
    for part in rows.split(max(1, CHUNK_CELLS // len(components))):
        logs = score_rows(part, parameters)
        highest = logs.amax(1, keepdim=True)
        shares = logs.sub_(highest).exp_()
        totals = shares.sum(1, keepdim=True)
        shares.div_(totals)
        log_likelihood += float((highest.double() + totals.double().log()).sum())
        for column in part.bins.T.contiguous():
            counts.index_add_(0, column, shares)
        components += shares.sum(0)
        sums += (shares.T @ part.scores.flatten(1)).view_as(sums)
        for g in range(means.shape[1]):
            own = part.scores[:, g]
            products[:, g] += (shares.T @ (own[:, :, None] * own[:, None, :]).flatten(1)).view_as(products[:, g])
    return ExpectedCounts(components, counts, sums, products, log_likelihood)


def estimate_parameters(tree: ShareTree, counts: ExpectedCounts, k: float) -> Parameters:
    """The M step, without the components that hold fewer than k rows; the largest always stays."""
    is_large = counts.components >= min(k, float(counts.components.max()))
    components, bins = counts.components[is_large], counts.bins[:, is_large]
    gaussians = estimate_gaussians(components, counts.sums[is_large], counts.products[is_large])
    log_shares, prior = tree.estimate_shares(bins)
    return Parameters((components / components.sum()).log(), log_shares, gaussians, prior)


def estimate_gaussians(components: Tensor, sums: Tensor, products: Tensor) -> GaussianBlocks:
    """Means and covariances. Covariances lean on their average over components, so that few rows give a fair one too.

    Friedman 1989, "Regularized discriminant analysis".
    """
    n = components.view(-1, 1, 1)
    means = sums / n
    scatters = products - n[..., None] * means[..., :, None] * means[..., None, :]
    pooled = scatters.sum(0) / components.sum()
    covariances = (scatters + POOLED_ROWS * pooled) / (n[..., None] + POOLED_ROWS)
    return GaussianBlocks(means, torch.linalg.cholesky(covariances + LEAST_SIGMA**2 * torch.eye(means.shape[2])))


def measure_likelihood(rows: CodedRows, parameters: Parameters) -> float:
    """The mean log-likelihood of rows, in nats."""
    parts = rows.split(max(1, CHUNK_CELLS // len(parameters.log_weights)))
    return float(torch.cat([torch.logsumexp(score_rows(part, parameters), 1) for part in parts]).double().mean())
