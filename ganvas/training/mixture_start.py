"""Let a generator of rows start as a mixture of product distributions that EM fits to the training rows."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..core import Codec, Field
from ..metrics.tables.mixtures import CodeRanks, ProductMixture, fit_mixture
from ..nets.tables.mixture_head import LEAST_LOG, MixtureTables


class CodePlaces(CodeRanks, Protocol):
    """What a column's codes stand for, and where in x."""

    @property
    def hot(self) -> np.ndarray: ...  # int64 [K]: the place in the column's one-hot; -1: the column has none


def tabulate_mixture(mixture: ProductMixture, layouts: Sequence[CodePlaces], fields: Sequence[Sequence[Field]], bins: int) -> MixtureTables:
    """The tables of a mixture of codes, for the fields of each column."""
    count = len(mixture)
    width = sum(field.size for column in fields for field in column)
    log_shares = np.zeros((count, width))
    edges, shares, start = list[np.ndarray](), list[np.ndarray](), 0
    for c, (layout, column) in enumerate(zip(layouts, fields, strict=True)):
        tree = mixture.tree.columns[c]
        own = mixture.log_shares[mixture.tree.first_bins[c] : mixture.tree.first_bins[c + 1]].T.double().exp().numpy()
        own = own / own.sum(1, keepdims=True)  # [M, bins of the column]
        codes = own[:, tree.of_codes] * tree.shares  # [M, K]
        if (layout.hot >= 0).any():
            hot = np.zeros((count, layout.hot.max() + 1))
            np.add.at(hot.T, layout.hot, codes.T)
            with np.errstate(divide="ignore"):
                log_shares[:, start : start + hot.shape[1]] = np.maximum(np.log(hot), LEAST_LOG)
        if any(field.kind == "continuous" for field in column):
            bin_edges, bin_shares = _bin_ranks(layout, tree.of_codes, own[:, : tree.ordered], tree.ordered, bins)
            edges.append(bin_edges)
            shares.append(bin_shares)
        start += sum(field.size for field in column)
    rank_edges = np.stack(edges) if edges else np.zeros((0, bins + 1))
    rank_shares = np.stack(shares, 1) if shares else np.zeros((count, 0, bins))
    tables = (log_shares, rank_edges, rank_shares)
    return MixtureTables(mixture.log_weights, *(torch.from_numpy(table).float() for table in tables))


def _bin_ranks(layout: CodePlaces, of_codes: np.ndarray, shares: np.ndarray, ordered: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """(The edges of a rank's bins [bins + 1], the shares of each component in them [M, bins]). Spare bins are empty."""
    has_rank = ~np.isnan(layout.low)
    ends = np.zeros(ordered)
    np.maximum.at(ends, of_codes[has_rank], layout.high[has_rank])
    edges = np.concatenate([[0.0], ends, np.ones(bins - ordered)])
    total = shares.sum(1, keepdims=True)
    spread = np.where(total > 1e-12, shares / np.maximum(total, 1e-12), 1 / ordered)
    return edges, np.pad(spread, ((0, 0), (0, bins - ordered)))
