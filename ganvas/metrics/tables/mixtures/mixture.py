"""A fitted mixture of rows, and draws from it."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ....errors import require
from ....gaussian_blocks import GaussianBlocks, draw_blocks
from ....quantile_maps import apply_quantile_maps, tabulate_quantile_maps
from .scores import ScoreBlocks
from .shares import ShareTree

CHUNK_NUMBERS = 2**24  # of the factors of Gaussians at a time


@dataclass(frozen=True, eq=False)
class RowMixture:
    """p(row) = Σ_m w_m Π_c p_m(bin of cell c) Π_g N(scores of block g; mean, covariance). M components, C columns, B bins."""

    tree: ShareTree
    blocks: ScoreBlocks
    log_weights: Tensor  # float32 [M]
    log_shares: Tensor  # float32 [B, M]
    gaussians: GaussianBlocks
    held_out: float = float("nan")  # the mean log-likelihood, in nats, of rows that fitting did not count

    def __len__(self) -> int:
        return len(self.log_weights)

    @cached_property
    def quantile_maps(self) -> Tensor:
        """From the mixture's own scores at each place to normal scores, as ranks have: float32 [G x b, knots]."""
        means, factors = self.gaussians
        weights = self.log_weights.exp()[:, None].expand(-1, self.blocks.columns.size).clone()
        for place, column in enumerate(self.blocks.columns.flat):
            if column < len(self.tree.columns):  # where a component has no rank, its scores say nothing
                first, ordered = int(self.tree.first_bins[column]), self.tree.columns[column].ordered
                weights[:, place] *= self.log_shares[first : first + ordered].exp().sum(0)
        sigmas = factors.square().sum(3).sqrt()
        return tabulate_quantile_maps(weights, means.flatten(1), sigmas.flatten(1))

    def draw(self, n: int, seed: int) -> np.ndarray:
        """n rows of codes, uint16 [n, C]. Raises SettingError for n below 1."""
        require(n >= 1, "n", n, "1 or more")
        rng = np.random.default_rng(seed)
        weights = self.log_weights.double().exp().numpy()
        components = rng.choice(len(self), n, p=weights / weights.sum())
        codes = self._draw_bins(components, rng)
        scores = self._draw_scores(components, rng)
        for place, column in enumerate(self.blocks.columns.flat):
            if column < codes.shape[1]:
                is_ranked = codes[:, column] == 0
                codes[is_ranked, column] = self.blocks.find_codes(scores[is_ranked, place], int(column))
        return codes

    def _draw_scores(self, components: np.ndarray, rng: np.random.Generator) -> Tensor:
        """Normal scores float32 [n, G x b]."""
        places = self.blocks.columns
        rows = max(1, CHUNK_NUMBERS // max(1, places.size * places.shape[1]))
        parts = list[Tensor]()
        for start in range(0, len(components), rows):
            chosen = torch.from_numpy(components[start : start + rows])
            noise = torch.from_numpy(rng.standard_normal((len(chosen), *places.shape), dtype=np.float32))
            parts.append(apply_quantile_maps(draw_blocks(self.gaussians, chosen, noise).flatten(1), self.quantile_maps))
        return torch.cat(parts)

    def _draw_bins(self, components: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Components int64 [n] -> codes uint16 [n, C]. A cell in the bin of all ranks gets code 0."""
        codes = np.empty((len(components), len(self.tree.columns)), np.uint16)
        for c, (edges, column) in enumerate(zip(self._edges, self.tree.columns, strict=True)):
            size = len(edges) // len(self)
            bins = np.searchsorted(edges, components + rng.random(len(components)), "right") - components * size
            _, first_codes = np.unique(column.of_codes, return_index=True)
            codes[:, c] = first_codes[np.clip(bins, 0, size - 1)]
        return codes

    @cached_property
    def _edges(self) -> list[np.ndarray]:
        """Of each column, m + the distribution function of component m, one component after the other: it never falls."""
        first, edges = self.tree.first_bins, list[np.ndarray]()
        for start, end in pairwise(first):
            sums = self.log_shares[start:end].T.double().exp().cumsum(1)
            edges.append((sums / sums[:, -1:] + torch.arange(len(self))[:, None]).numpy().ravel())
        return edges
