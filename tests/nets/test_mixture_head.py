"""A generator that starts as a mixture: what it draws, and what it draws beside known cells, against closed forms."""

import pytest
import torch

from ganvas.core import Field, Spec
from ganvas.gaussian_blocks import GaussianBlocks
from ganvas.media.table.cells import CellsCondition
from ganvas.nets import RowPerceptrons
from ganvas.nets.tables.mixture_head import MixtureTables
from ganvas.nets.tables.rows import RowGenerator
from ganvas.quantile_maps import KNOTS, REACH

FIELDS = (
    Field("a", 2, "categorical", (0.3, 0.7)),
    Field("b.rank", 1),
    Field("c.rank", 1),
    Field("d.rank", 1, where=("a", 1)),
)
RHO = (0.9, -0.6)  # of b and c in each component
N = 40_000


class Codec:
    """Enough of a table's codec for the condition's name."""


def build_generator() -> RowGenerator:
    """Two components: "a" is 0 in the first and 1 in the second; b and c are Gaussian, d lies in two bins."""
    spec = Spec((5,), FIELDS, {"cells": CellsCondition(Codec())})  # type: ignore[arg-type]
    G = RowPerceptrons(components=4, bins=3).build(spec)["G"]
    assert isinstance(G, RowGenerator)
    factors = torch.stack([torch.tensor([[1.0, 0.0], [rho, (1 - rho**2) ** 0.5]]) for rho in RHO])
    never, always = -30.0, 0.0
    tables = MixtureTables(
        log_weights=torch.tensor([0.3, 0.7]).log(),
        log_shares=torch.tensor([[always, never, 0.0, 0.0, 0.0], [never, always, 0.0, 0.0, 0.0]]),
        rank_edges=torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.25, 1.0]]),
        rank_shares=torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [1.0, 0.0], [0.8, 0.2]]]),
        block_ranks=torch.tensor([[0, 1]]),
        gaussians=GaussianBlocks(torch.zeros(2, 1, 2), factors[:, None]),
        quantile_maps=torch.linspace(-REACH, REACH, KNOTS).expand(1, 2, -1),
    )
    G.mixture.use(tables)
    return G.eval()


def make_cells(**known: float) -> torch.Tensor:
    places = {"a0": 0, "a1": 1, "b": 2, "c": 3, "d": 4}
    cells = torch.zeros(N, 2, 5)
    for name, value in known.items():
        cells[:, 0, places[name]] = value
        cells[:, 1, places[name]] = 1.0
    return cells


@torch.no_grad()
def draw(cells: torch.Tensor | None = None) -> torch.Tensor:
    torch.manual_seed(0)
    G = build_generator()
    return G(torch.randn(N, G.z_dim), make_cells() if cells is None else cells)


def test_a_fresh_generator_is_the_mixture() -> None:
    x = draw()
    is_second = x[:, 1] > 0
    assert float(is_second.float().mean()) == pytest.approx(0.7, abs=0.01)
    for rows, rho in zip((x[~is_second], x[is_second]), RHO, strict=True):
        assert float(torch.corrcoef(rows[:, 2:4].T)[0, 1]) == pytest.approx(rho, abs=0.02)
    ranks = torch.special.ndtr(x[:, 2:4]).sort(0).values
    assert (ranks - torch.linspace(0, 1, N)[:, None]).abs().max() < 0.015
    assert (x[~is_second, 4] == 0).all()  # d has no rank beside a = 0
    assert float((torch.special.ndtr(x[is_second, 4]) < 0.25).float().mean()) == pytest.approx(0.8, abs=0.015)


def test_a_known_rank_moves_those_that_hang_together_with_it() -> None:
    x = draw(make_cells(a0=1.0, a1=0.0, b=1.5))
    assert (x[:, 2] == 1.5).all()
    assert float(x[:, 3].mean()) == pytest.approx(0.9 * 1.5, abs=0.02)
    assert float(x[:, 3].std()) == pytest.approx((1 - 0.9**2) ** 0.5, abs=0.02)


def test_the_component_follows_from_known_ranks_by_bayes() -> None:
    b, c = 1.0, 1.2
    x = draw(make_cells(b=b, c=c))
    densities = [
        (1 - rho**2) ** -0.5 * torch.tensor(-(b * b - 2 * rho * b * c + c * c) / (2 * (1 - rho**2))).exp() for rho in RHO
    ]
    expected = 0.7 * densities[1] / (0.3 * densities[0] + 0.7 * densities[1])
    assert float(x[:, 1].mean()) == pytest.approx(float(expected), abs=0.01)
    assert torch.equal(x[:, 2:4], torch.tensor([b, c]).expand(N, 2))


def test_a_move_keeps_what_hangs_together() -> None:
    """Moves are in a component's own units: the narrow direction of b and c stays narrow."""
    G, components = build_generator(), torch.zeros(N, dtype=torch.long)
    drawn = G.mixture.draw_ranks(components, torch.randn(N, 3))
    moved = G.mixture.move_ranks(drawn, components, torch.randn(N, 3))
    assert float(torch.corrcoef(moved.in_blocks[:, 0, :2].T)[0, 1]) == pytest.approx(0.9, abs=0.02)
    assert float(moved.in_blocks[:, 0, :2].std()) == pytest.approx(2**0.5, abs=0.02)
