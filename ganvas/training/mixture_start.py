"""Let a generator of rows start as a mixture of product distributions that EM fits to the training rows."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from ..core import Dataset, Field
from ..media import TableCodec
from ..metrics.tables.mixtures import CodeRanks, ProductMixture, choose_mixture
from ..nets.tables.mixture_head import LEAST_LOG, MixtureTables
from ..nets.tables.rows import RowGenerator
from ..runs.state import State

MIN_ROWS = 200  # fewer tell no components apart


class CodePlaces(CodeRanks, Protocol):
    """What a column's codes stand for, and where in x."""

    @property
    def hot(self) -> np.ndarray: ...  # int64 [K]: the place in the column's one-hot; -1: the column has none


def start_from_mixture(state: State, data: Dataset, seed: int) -> str:
    """Fit a mixture to the training rows and let G start as it. Returns a sentence; "" for networks or data without one."""
    G, codec = dict(state.nets.items()).get("G"), data.codec
    if not isinstance(G, RowGenerator) or not isinstance(codec, TableCodec) or len(data) < MIN_ROWS:
        return ""
    bins = G.mixture.rank_edges.shape[1] - 1
    mixture = choose_mixture(data.columns["x"].cpu().numpy(), codec.lay_out(), G.mixture.size, seed)
    tables = tabulate_mixture(mixture, codec.lay_out(), [column.fields for column in codec.columns], bins)
    for nets in (state.nets, state.average):
        generator = dict(nets.items()).get("G")
        if isinstance(generator, RowGenerator):
            generator.mixture.use(tables)
    return f"G starts as a mixture of {len(mixture)} components, fitted by EM"


def tabulate_mixture(
    mixture: ProductMixture, layouts: Sequence[CodePlaces], fields: Sequence[Sequence[Field]], bins: int
) -> MixtureTables:
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


def _bin_ranks(
    layout: CodePlaces, of_codes: np.ndarray, shares: np.ndarray, ordered: int, bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """(The edges of a rank's bins [bins + 1], the shares of each component in them [M, bins]). Spare bins are empty."""
    has_rank = ~np.isnan(layout.low)
    ends = np.zeros(ordered)
    np.maximum.at(ends, of_codes[has_rank], layout.high[has_rank])
    edges = np.concatenate([[0.0], ends, np.ones(bins - ordered)])
    total = shares.sum(1, keepdims=True)
    spread = np.where(total > 1e-12, shares / np.maximum(total, 1e-12), 1 / ordered)
    return edges, np.pad(spread, ((0, 0), (0, bins - ordered)))
