"""A mixture as the start of a generator of rows.

Each component has its own shares of the values of categorical fields. It has its own shares of each rank in bins, or a Gaussian
of the ranks' scores, in blocks. Given some cells, the component follows from them by Bayes' rule, and so do the ranks.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...core import Spec
from ...gaussian_blocks import GaussianBlocks, complete_blocks, draw_blocks, score_known_blocks
from ...normal_scores import read_ranks, score_ranks
from ...quantile_maps import KNOTS, apply_quantile_maps, invert_quantile_maps
from .fields import RowFields

LEAST_LOG = -30.0  # in place of the logarithm of 0
MAX_BLOCK = 32  # ranks whose covariances a Gaussian knows
MAX_NUMBERS = 2**24  # of all components together: 64 MB


class MixtureTables(NamedTuple):
    """A mixture of M components over fields of width W with R ranks, in up to B bins each or in G blocks of b."""

    log_weights: Tensor  # [M]
    log_shares: Tensor  # [M, W], of each value of each categorical field, at its place in x; 0 elsewhere
    rank_edges: Tensor  # [R, B + 1], from 0 to 1
    rank_shares: Tensor  # [M, R, B], of each bin of a rank, where it counts; their sum is 1
    block_ranks: Tensor  # int64 [G, b]: the rank at each place of a block; R: none. Bins of these ranks say nothing
    gaussians: GaussianBlocks
    quantile_maps: Tensor  # [G, b, KNOTS], from the scores of a Gaussian to those of ranks


class KnownScores(NamedTuple):
    """Scores of known ranks as the Gaussians have them, and which these are."""

    scores: Tensor  # [N, G, b]
    is_known: Tensor  # bool [N, G, b]


class DrawnRanks(NamedTuple):
    """Ranks as a mixture draws them: all of them from bins, and some from Gaussians, which count."""

    in_bins: Tensor  # [N, R], normal scores
    in_blocks: Tensor  # [N, G, b], scores of the Gaussians


class MixtureHead(nn.Module):
    """Draws components, and says what they say. Before `use`, it has one component: the shares that the fields give."""

    log_weights: Tensor
    log_shares: Tensor
    rank_edges: Tensor
    rank_shares: Tensor
    block_ranks: Tensor
    means: Tensor
    factors: Tensor
    quantile_maps: Tensor
    rank_places: Tensor
    used: Tensor

    def __init__(self, fields: RowFields, spec: Spec, components: int, bins: int) -> None:
        super().__init__()
        ranks = len(fields.rank_places)
        block = min(ranks, MAX_BLOCK)
        blocks = -(-ranks // block) if block else 0
        components = max(1, min(components, MAX_NUMBERS // (fields.width + ranks * (bins + block) + 1)))
        grouped = torch.cat([fields.first_biases[fields.order]])  # in the order of x
        self.register_buffer("log_weights", torch.full((components,), LEAST_LOG).index_fill_(0, torch.tensor([0]), 0.0))
        self.register_buffer("log_shares", grouped.expand(components, -1).clone())
        self.register_buffer("rank_edges", torch.linspace(0, 1, bins + 1).expand(ranks, -1).clone())
        self.register_buffer("rank_shares", torch.full((components, ranks, bins), 1 / bins))
        self.register_buffer("block_ranks", torch.full((blocks, block), ranks))
        self.register_buffer("means", torch.zeros(components, blocks, block))
        self.register_buffer("factors", torch.eye(block).repeat(components, blocks, 1, 1))
        self.register_buffer("quantile_maps", torch.linspace(-1, 1, KNOTS).repeat(blocks, block, 1))
        self.register_buffer("used", torch.tensor(1))  # how many components there are
        self.register_buffer("rank_places", torch.tensor(fields.rank_places, dtype=torch.long), persistent=False)
        where = {field.name: field.where for field in spec.fields if field.kind == "continuous"}
        starts = fields.starts
        self.where_places = [None if tie is None else starts[tie[0]] + tie[1] for tie in where.values()]

    @property
    def size(self) -> int:
        """How many components it has room for."""
        return len(self.log_weights)

    @property
    def gaussians(self) -> GaussianBlocks:
        used = int(self.used)
        return GaussianBlocks(self.means[:used], self.factors[:used])

    def use(self, tables: MixtureTables) -> None:
        """Take a mixture of at most as many components, bins and blocks as this head has room for."""
        count, _, bins = tables.rank_shares.shape
        blocks, block = tables.block_ranks.shape
        self.used.fill_(count)
        self.log_weights.fill_(LEAST_LOG)[:count] = tables.log_weights.clamp(min=LEAST_LOG)
        self.log_shares[:count] = tables.log_shares.clamp(min=LEAST_LOG)
        self.rank_shares.zero_()
        self.rank_edges.fill_(1.0)
        self.rank_edges[:, : bins + 1] = tables.rank_edges
        self.rank_shares[:count, :, :bins] = tables.rank_shares
        self.rank_shares[count:, :, 0] = 1.0
        self.block_ranks.fill_(len(self.rank_places))[:blocks, :block] = tables.block_ranks
        self.means.zero_()[:count, :blocks, :block] = tables.gaussians.means
        self.factors.copy_(torch.eye(self.factors.shape[-1]))[:count, :blocks, :block, :block] = tables.gaussians.factors
        self.quantile_maps[:blocks, :block] = tables.quantile_maps

    def choose_components(self, u: Tensor, cells: Tensor | None, known: KnownScores | None) -> Tensor:
        """A component for each row, int64 [N], by one uniform number u [N]; with cells [N, 2, W], given what is known."""
        used = int(self.used)
        logs = self.log_weights[None, :used]
        if cells is not None and known is not None:
            logs = logs + cells[:, 0].mul(self.is_hot) @ self.log_shares[:used].T + self.score_known_bins(cells)
            logs = logs + score_known_blocks(*known, self.gaussians)
        ends = logs.double().softmax(1).cumsum(1)
        places = u.double().view(len(ends), -1)  # where nothing is known, all rows draw from the same ends
        return torch.searchsorted(ends, places, right=True).flatten().clamp(max=used - 1)

    @property
    def is_hot(self) -> Tensor:
        """1 at the places of x that are values, 0 at those of ranks: [W]."""
        return torch.ones_like(self.log_shares[0]).index_fill(0, self.rank_places, 0.0)

    def count_known_ranks(self, cells: Tensor) -> Tensor:
        """1 for each rank that is known and counts, [N, R]."""
        ties = [torch.ones_like(cells[:, 0, 0]) if tie is None else cells[:, 0, tie] for tie in self.where_places]
        return cells[:, 1, self.rank_places] * torch.stack(ties, 1) if ties else cells[:, 1, self.rank_places]

    def score_known_bins(self, cells: Tensor) -> Tensor:
        """The log-density of the known ranks that lie in bins, in each component, [N, M]."""
        used = int(self.used)
        total = torch.zeros(len(cells), used, device=cells.device)
        widths = self.rank_edges.diff(dim=1).clamp(min=1e-6)
        counts = self.count_known_ranks(cells)
        for r in self.list_binned_ranks().tolist():
            if not counts[:, r].any():
                continue
            ranks = read_ranks(cells[:, 0, self.rank_places[r]].contiguous())
            bins = torch.searchsorted(self.rank_edges[r, 1:-1].contiguous(), ranks, right=True)
            logs = (self.rank_shares[:used, r] / widths[r]).clamp(min=1e-9).log()
            total = total + counts[:, r, None] * logs.T[bins]
        return total

    def read_known_scores(self, cells: Tensor) -> KnownScores:
        counts = self.gather_blocks(self.count_known_ranks(cells))
        scores = self.gather_blocks(cells[:, 0, self.rank_places])
        own = invert_quantile_maps(scores.flatten(1), self.quantile_maps.flatten(0, 1))
        return KnownScores(own.view_as(scores), counts > 0)

    def gather_blocks(self, values: Tensor) -> Tensor:
        """Numbers of ranks [N, R], as they lie in blocks [N, G, b]; 0 where no rank lies."""
        return torch.cat([values, values.new_zeros(len(values), 1)], 1)[:, self.block_ranks]

    def draw_ranks(self, components: Tensor, noise: Tensor) -> DrawnRanks:
        """What each component draws by normal numbers [N, R]."""
        in_blocks = draw_blocks(self.gaussians, components, self.gather_blocks(noise))
        return DrawnRanks(self.draw_bins(components, torch.special.ndtr(noise)), in_blocks)

    def move_ranks(self, drawn: DrawnRanks, components: Tensor, moves: Tensor) -> DrawnRanks:
        """Draws moved by [N, R]: those of a Gaussian in its own units, so that what hangs together still does."""
        steps = (self.factors[components] @ self.gather_blocks(moves)[..., None])[..., 0]
        return DrawnRanks(drawn.in_bins + moves, drawn.in_blocks + steps)

    def place_ranks(self, drawn: DrawnRanks, components: Tensor, known: KnownScores | None) -> Tensor:
        """Normal scores of ranks [N, R], which fit those that are known."""
        own = drawn.in_blocks if known is None else complete_blocks(self.gaussians, components, drawn.in_blocks, *known)
        scores = apply_quantile_maps(own.flatten(1), self.quantile_maps.flatten(0, 1))
        ranks = torch.cat([drawn.in_bins, own.new_zeros(len(own), 1)], 1)
        return ranks.index_copy(1, self.block_ranks.flatten(), score_ranks(read_ranks(scores)))[:, :-1]

    def draw_bins(self, components: Tensor, u: Tensor) -> Tensor:
        """Normal scores of ranks [N, R], each drawn from its component's bins by u [N, R]; 0 for those of Gaussians."""
        scores = torch.zeros_like(u)
        for ranks in self.list_binned_ranks().split(MAX_BLOCK):
            scores[:, ranks] = self.draw_binned_ranks(ranks, components, u[:, ranks])
        return scores

    def list_binned_ranks(self) -> Tensor:
        """The ranks that no Gaussian draws."""
        is_binned = torch.ones(len(self.rank_places) + 1, dtype=torch.bool, device=self.block_ranks.device)
        is_binned[-1] = False
        return is_binned.index_fill(0, self.block_ranks.flatten(), False).nonzero()[:, 0]

    def draw_binned_ranks(self, ranks: Tensor, components: Tensor, u: Tensor) -> Tensor:
        ends = self.rank_shares[:, ranks].cumsum(2)[components]
        u = u.clamp(max=1 - 1e-6)[..., None] * ends[..., -1:]
        bins = (ends[..., :-1] <= u).sum(2, keepdim=True)
        ends = torch.cat([torch.zeros_like(ends[..., :1]), ends], 2)
        first, last = ends.gather(2, bins), ends.gather(2, bins + 1)
        share = ((u - first) / (last - first).clamp(min=1e-9)).clamp(0, 1)
        edges = self.rank_edges[ranks].expand(len(components), -1, -1)
        low, high = edges.gather(2, bins), edges.gather(2, bins + 1)
        return score_ranks((low + (high - low) * share)[..., 0])
