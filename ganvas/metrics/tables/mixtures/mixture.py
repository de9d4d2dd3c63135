"""A fitted mixture of product distributions: rows, rows that complete others, and likelihoods."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from ....errors import GanvasError
from .shares import ShareTree, check_codes

CHUNK_CELLS = 2**22  # rows x components at a time


@dataclass(frozen=True, eq=False)
class ProductMixture:
    """p(row) = Σ_m w_m Π_c p_m(bin of cell c) p(cell c | its bin). M components, C columns, B bins in all.

    Memory: 4 M B bytes, and 8 M B more once it draws.
    """

    tree: ShareTree
    log_weights: Tensor  # float32 [M]
    log_shares: Tensor  # float32 [B, M]
    held_out: float = float("nan")  # the mean log-likelihood, in nats, of rows that fitting did not count

    def __len__(self) -> int:
        return len(self.log_weights)

    def draw(self, n: int, seed: int, given: np.ndarray | None = None, is_given: np.ndarray | None = None) -> np.ndarray:
        """n rows of codes, uint16 [n, C].

        Args:
            given: codes [n, C] of rows to complete; cells that are not given may hold anything.
            is_given: bool [n, C], or [C] for all rows alike. These cells are copied. The others follow their exact
                distribution given them: first the posterior of the component, then each cell.

        Raises:
            GanvasError: n below 1, codes of other columns, or only one of `given` and `is_given`.
        """
        if n < 1:
            raise GanvasError(f"n must be 1 or more, got {n}")
        if (given is None) != (is_given is None):
            raise GanvasError("to complete rows takes both `given` and `is_given`: give both or neither")
        rng = np.random.default_rng(seed)
        if given is None or is_given is None:
            weights = self.log_weights.double().exp().numpy()
            return self._draw_cells(rng.choice(len(self), n, p=weights / weights.sum()), rng)
        given, is_given = self._check_given(n, given, is_given)
        components = np.concatenate([_choose_columns(part, rng) for part in self._score_components(given, is_given)])
        return np.where(is_given, given, self._draw_cells(components, rng)).astype(np.uint16)

    def log_likelihood(self, codes: np.ndarray) -> np.ndarray:
        """log p of each row of codes [N, C] in nats -> float64 [N]. Raises GanvasError for codes of other columns."""
        check_codes(codes, self._sizes)
        logs = [torch.logsumexp(part, 1) for part in self._score_components(codes, np.ones(codes.shape, bool))]
        within = sum(np.log(column.shares)[codes[:, c]] for c, column in enumerate(self.tree.columns))
        return torch.cat(logs).double().numpy() + within if logs else np.zeros(0)

    @property
    def _sizes(self) -> list[int]:
        return [len(column.of_codes) for column in self.tree.columns]

    def _check_given(self, n: int, given: np.ndarray, is_given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = (n, len(self.tree.columns))
        if given.shape != shape or is_given.shape not in (shape, shape[1:]) or is_given.dtype != bool:
            raise GanvasError(
                f"`given` must be codes {[*shape]} and `is_given` bool of that shape or [{shape[1]}], "
                f"got {[*given.shape]} and {is_given.dtype} {[*is_given.shape]}"
            )
        is_given = np.broadcast_to(is_given, shape)
        given = np.where(is_given, given, np.zeros((), given.dtype))
        check_codes(given, self._sizes)
        return given, is_given

    def _score_components(self, codes: np.ndarray, is_known: np.ndarray) -> Iterator[Tensor]:
        """log w_m + Σ over known cells log p_m(bin): float32 [n, M], in parts of some rows."""
        rows = max(1, CHUNK_CELLS // len(self))
        for start in range(0, len(codes), rows):
            bins = torch.from_numpy(self.tree.find_bins(codes[start : start + rows]))
            known = torch.from_numpy(is_known[start : start + rows].astype(np.float32))
            yield embedding_bag(bins, self.log_shares, mode="sum", per_sample_weights=known).add_(self.log_weights)

    def _draw_cells(self, components: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Components int64 [n] -> codes uint16 [n, C]."""
        codes = np.empty((len(components), len(self.tree.columns)), np.uint16)
        for c, (edges, column) in enumerate(zip(self._edges, self.tree.columns, strict=True)):
            size = len(edges) // len(self)
            bins = np.searchsorted(edges, components + rng.random(len(components)), "right") - components * size
            codes[:, c] = _draw_within(np.clip(bins, 0, size - 1), column.of_codes, column.shares, rng)
        return codes

    @cached_property
    def _edges(self) -> list[np.ndarray]:
        """Of each column, m + the distribution function of component m, one component after the other: it never falls."""
        first, edges = self.tree.first_bins, list[np.ndarray]()
        for start, end in pairwise(first):
            sums = self.log_shares[start:end].T.double().exp().cumsum(1)
            edges.append((sums / sums[:, -1:] + torch.arange(len(self))[:, None]).numpy().ravel())
        return edges


def _draw_within(bins: np.ndarray, of_codes: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A code of each bin, by its share there: int64 [n]."""
    order = np.argsort(of_codes, kind="stable")
    if len(order) == of_codes.max() + 1:  # each code is a bin
        return order[bins]
    edges = np.cumsum(shares[order])  # a bin's codes fill 1 together
    places = np.searchsorted(edges, bins + rng.random(len(bins)), "right")
    last = np.searchsorted(of_codes[order], bins, "right") - 1  # sums of shares are not quite whole
    return order[np.minimum(np.maximum(places, np.searchsorted(of_codes[order], bins)), last)]


def _choose_columns(logs: Tensor, rng: np.random.Generator) -> np.ndarray:
    """One column of each row of log-weights [n, M], by its share: int64 [n]."""
    edges = torch.softmax(logs.double(), 1).cumsum(1)
    u = torch.from_numpy(rng.random((len(logs), 1)))
    return torch.searchsorted(edges, u * edges[:, -1:], right=True).clamp_(max=logs.shape[1] - 1)[:, 0].numpy()
