"""Expectation and maximisation for a mixture of product distributions."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from .shares import ShareTree

CHUNK_CELLS = 2**19  # rows x components at a time, so that they stay in the processor's cache
START_ROWS = 3.0  # the weight of the row that a component starts from
START_SMOOTHING = 2.0


class Parameters(NamedTuple):
    """What EM estimates, for M components and B bins."""

    log_weights: Tensor  # float32 [M]
    log_shares: Tensor  # float32 [B, M]
    prior: float = 0.0  # the prior's part of the penalised log-likelihood, in nats


class ExpectedCounts(NamedTuple):
    """How many rows each component is held to have made, and in which bins."""

    components: Tensor  # float32 [M]
    bins: Tensor  # float32 [B, M]
    log_likelihood: float  # of all rows together, in nats, under the parameters that the counts come from


def start_parameters(bins: Tensor, tree: ShareTree, components: int, generator: torch.Generator) -> Parameters:
    """M components of equal weight, each around one random row of bins [N, C] and far from being it alone."""
    picks = torch.randperm(len(bins), generator=generator)[:components]
    rows = START_ROWS * (0.5 + torch.rand(bins.shape[1], len(picks), generator=generator))  # two equal rows part
    counts = torch.zeros(tree.size, len(picks)).scatter_(0, bins[picks].long().T, rows)
    log_shares, _ = tree.estimate_shares(counts, START_SMOOTHING)
    return Parameters(torch.full((len(picks),), -math.log(len(picks))), log_shares)


def count_expected_rows(bins: Tensor, parameters: Parameters) -> ExpectedCounts:
    """The E step, for rows of bins int32 [N, C]."""
    components = torch.zeros_like(parameters.log_weights)
    counts, log_likelihood = torch.zeros_like(parameters.log_shares), 0.0
    for part in bins.split(max(1, CHUNK_CELLS // len(components))):
        logs = embedding_bag(part, parameters.log_shares, mode="sum").add_(parameters.log_weights)
        highest = logs.amax(1, keepdim=True)
        shares = logs.sub_(highest).exp_()
        sums = shares.sum(1, keepdim=True)
        shares.div_(sums)
        log_likelihood += float((highest.double() + sums.double().log()).sum())
        for column in part.T.contiguous():
            counts.index_add_(0, column, shares)
        components += shares.sum(0)
    return ExpectedCounts(components, counts, log_likelihood)


def estimate_parameters(tree: ShareTree, counts: ExpectedCounts, k: float) -> Parameters:
    """The M step, without the components that hold fewer than k rows; the largest always stays."""
    is_large = counts.components >= min(k, float(counts.components.max()))
    components, bins = counts.components[is_large], counts.bins[:, is_large]
    return Parameters((components / components.sum()).log(), *tree.estimate_shares(bins))


def measure_likelihood(bins: Tensor, parameters: Parameters) -> float:
    """The mean log-likelihood of rows of bins int32 [N, C], in nats."""
    parts = bins.split(max(1, CHUNK_CELLS // len(parameters.log_weights)))
    logs = [embedding_bag(part, parameters.log_shares, mode="sum").add_(parameters.log_weights) for part in parts]
    return float(torch.cat([torch.logsumexp(part, 1) for part in logs]).double().mean())
