"""Let a generator of rows start as a mixture that EM fits to the training rows."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from ..core import Dataset, Field
from ..media import TableCodec
from ..metrics.tables.mixtures import CodeRanks, RowMixture, choose_mixture
from ..nets.tables.mixture_head import LEAST_LOG, MixtureTables
from ..nets.tables.rows import RowGenerator
from ..quantile_maps import KNOTS
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
    mixture: RowMixture, layouts: Sequence[CodePlaces], fields: Sequence[Sequence[Field]], bins: int
) -> MixtureTables:
    """The tables of a mixture of codes, for the fields of each column."""
    count, start = len(mixture), 0
    log_shares = np.zeros((count, sum(field.size for column in fields for field in column)))
    edges, shares, rank_of_column = list[np.ndarray](), list[np.ndarray](), dict[int, int]()
    for c, (layout, column) in enumerate(zip(layouts, fields, strict=True)):
        own = mixture.log_shares[mixture.tree.first_bins[c] : mixture.tree.first_bins[c + 1]].T.double().exp().numpy()
        own = own / own.sum(1, keepdims=True)  # [M, bins of the column]
        if (layout.hot >= 0).any():
            _, first_codes = np.unique(mixture.tree.columns[c].of_codes, return_index=True)
            hot = np.zeros((layout.hot.max() + 1, count))
            np.add.at(hot, layout.hot[first_codes], own.T)  # codes of one bin have one value
            with np.errstate(divide="ignore"):
                log_shares[:, start : start + len(hot)] = np.maximum(np.log(hot.T), LEAST_LOG)
        if any(field.kind == "continuous" for field in column):
            rank_of_column[c] = len(edges)
            ordered = mixture.tree.columns[c].ordered
            edges.append(_list_edges(layout, ordered, bins))
            shares.append(_spread_shares(own[:, :ordered], bins))
        start += sum(field.size for field in column)
    block_ranks = [rank_of_column.get(int(column), len(edges)) for column in mixture.blocks.columns.flat]
    return MixtureTables(
        log_weights=mixture.log_weights,
        log_shares=torch.from_numpy(log_shares).float(),
        rank_edges=torch.from_numpy(np.array(edges).reshape(-1, bins + 1)).float(),
        rank_shares=torch.from_numpy(np.array(shares).reshape(-1, count, bins)).float().transpose(0, 1),
        block_ranks=torch.tensor(block_ranks, dtype=torch.long).view(*mixture.blocks.columns.shape),
        gaussians=mixture.gaussians,
        quantile_maps=mixture.quantile_maps.view(*mixture.blocks.columns.shape, KNOTS),
    )


def _list_edges(layout: CodePlaces, ordered: int, bins: int) -> np.ndarray:
    """The edges of a rank's bins, [bins + 1], of which the last ones may be empty. One bin of all codes is [0, 1]."""
    ends = layout.high[~np.isnan(layout.low)] if ordered > 1 else np.ones(1)
    return np.concatenate([[0.0], ends, np.ones(bins - ordered)])


def _spread_shares(shares: np.ndarray, bins: int) -> np.ndarray:
    """The shares of bins among ranks, [M, bins], from those among all codes [M, ordered]."""
    total = shares.sum(1, keepdims=True)
    spread = np.where(total > 1e-12, shares / np.maximum(total, 1e-12), 1 / shares.shape[1])
    return np.pad(spread, ((0, 0), (0, bins - shares.shape[1])))
