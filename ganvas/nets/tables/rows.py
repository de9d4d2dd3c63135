"""Perceptrons for the rows of tables, which can complete rows whose cells are partly known.

G draws each category from a softmax by one uniform number, so that a row follows from its latents alone. D sees ranks in pieces
too, for fine structure (Gorishniy et al. 2022, piecewise linear encoding). Both follow from the fields of a row alone.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import CriticOutput, GeneratorNetwork, Spec
from ..layers.labels import check_widths
from .fields import RowFields
from .mixture_head import MixtureHead

CELLS = "cells"  # the condition: what is known of a row


class ResidualBlock(nn.Module):
    """h + linear(SiLU(linear(LayerNorm(h))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor) -> Tensor:
        return h + self.layers(h)


class RowGenerator(GeneratorNetwork):
    """z [N, z_dim] -> x [N, W]. Some numbers of z draw the component, the ranks and the categories; the others are noise.

    A mixture says where a row starts: each component's shares of values, and its ranks. The network moves both.

    cells: [N, 2, W], the known parts of x and where they are known. They come out as they are.
    """

    def __init__(self, spec: Spec, z_dim: int, width: int, blocks: int, components: int, bins: int) -> None:
        super().__init__()
        self.fields = RowFields(spec)
        self.mixture = MixtureHead(self.fields, spec, components, bins)
        ranks, draws = len(self.fields.rank_places), self.fields.draw_count
        self.z_sizes = [z_dim, 1, ranks, draws]
        self.z_dim, self.conditions = sum(self.z_sizes), (CELLS,) if CELLS in spec.conditions else ()
        self.first = nn.Linear(z_dim + ranks, width)
        self.components = nn.Embedding(self.mixture.size, width)
        self.known = nn.Linear(2 * self.fields.width, width, bias=False) if self.conditions else None
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)), nn.SiLU())
        self.last = nn.Linear(width, self.fields.width)
        nn.init.zeros_(self.last.weight)  # a fresh generator is the mixture
        nn.init.zeros_(self.last.bias)

    def forward(self, z: Tensor, cells: Tensor | None = None) -> Tensor:
        cells = None if cells is None or not cells[:, 1].any() else cells
        noise, choice, rank_noise, draws = z.split(self.z_sizes, 1)
        known = None if cells is None else self.mixture.read_known_scores(cells)
        components = self.mixture.choose_components(torch.special.ndtr(choice[:, 0]), cells, known)
        drawn = self.mixture.draw_ranks(components, rank_noise)
        h = self.first(torch.cat([noise, self.mixture.place_ranks(drawn, components, known)], 1)) + self.components(components)
        if cells is not None and self.known is not None:
            h = h + self.known(cells.flatten(1))
        moves, places = self.last(self.blocks(h)).float(), self.mixture.rank_places
        drawn = self.mixture.move_ranks(drawn, components, moves[:, places])
        ranks = self.mixture.place_ranks(drawn, components, known)
        outputs = (moves + self.mixture.log_shares[components]).index_copy(1, places, ranks)
        x = self.fields.draw(outputs[:, self.fields.grouped], torch.special.ndtr(draws))
        return x if cells is None else torch.where(cells[:, 1] > 0, cells[:, 0], x)


class RowCritic(nn.Module):
    """x [N, W] -> CriticOutput. It sees one-hots, ranks, ranks in `pieces`, and which cells were known."""

    ranks: Tensor

    def __init__(self, spec: Spec, widths: tuple[int, ...], pieces: int) -> None:
        super().__init__()
        self.fields, self.pieces = RowFields(spec), pieces
        ranks = self.fields.rank_places
        self.register_buffer("ranks", torch.tensor(ranks, dtype=torch.long), persistent=False)
        known = self.fields.width if CELLS in spec.conditions else 0
        sizes = (self.fields.width + pieces * len(ranks) + known, *widths)
        layers = [layer for pair in zip(sizes, widths, strict=False) for layer in (nn.Linear(*pair), nn.LeakyReLU(0.2))]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(sizes[-1], 1)

    def forward(self, x: Tensor, cells: Tensor | None = None) -> CriticOutput:
        parts = [x, *([self.cut_ranks(x)] if self.pieces else []), *([] if cells is None else [cells[:, 1]])]
        h = self.layers(torch.cat(parts, 1))
        return CriticOutput(self.last(h).squeeze(1), h)

    def cut_ranks(self, x: Tensor) -> Tensor:
        """Each rank in [0, 1] as the lengths of its pieces that lie below it: [N, ranks x pieces]."""
        ranks = torch.special.ndtr(x[:, self.ranks])[..., None] * self.pieces
        return (ranks - torch.arange(self.pieces, device=x.device)).clamp(0, 1).flatten(1)


@config
class RowPerceptrons:
    """G and D for rows of tables.

    z_dim: numbers that decide a row, besides one for each category.
    pieces: how many pieces D sees each rank in.
    components, bins: of the mixture that G starts from, at most: components, and bins of each rank in them.
    """

    z_dim: int = 64
    width: int = 256
    blocks: int = 1
    d_widths: tuple[int, ...] = (256, 256)
    pieces: int = 16
    components: int = 1024
    bins: int = 100

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, blocks=self.blocks, pieces=self.pieces or 1)
        check_widths(components=self.components, bins=self.bins)
        for width in self.d_widths:
            check_widths(d_widths=width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        G = RowGenerator(spec, self.z_dim, self.width, self.blocks, self.components, self.bins)
        return nn.ModuleDict({"G": G, "D": RowCritic(spec, self.d_widths, self.pieces)})

    def smallest(self) -> "RowPerceptrons":
        return replace(self, z_dim=2, width=4, blocks=1, d_widths=(4,), pieces=2, components=2, bins=4)
