"""G learns from noisy tables of all pairs of columns, which are released once, and never sees a row: no critic.

As GEM does (Liu, Vietri, Wu 2021, "Iterative methods for private synthetic data"), with all pairs instead of chosen ones.
"""

from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import (
    NO_REQUEST,
    Batch,
    Clock,
    Dataset,
    Latents,
    Nets,
    Phase,
    Request,
    Spec,
    Stage,
    StatisticsRelease,
    Traits,
    Turn,
)
from ..errors import GanvasError, require
from ..privacy import Ledger, NoisyPairs, explain_epsilon, release_pairs
from .adversarial import Adversarial
from .latents import get_generator

PAIRS = "pairs"  # the name of PairShares among the networks
ROWS_PER_BLOCK = 8192
LEAST_SHARE = 1e-4  # that G begins with: far lower ones would hardly learn
SEED_SENTENCE = (
    "the noise comes from the operating system and not from the seed, so the same command gives other noise each time"
)
ROW_SENTENCE = "the promise holds for one row: someone with several rows is protected less"
SUM_SENTENCE = "a further private run on the same data has its own epsilon, and they add up"


@runtime_checkable
class ShareGenerator(Protocol):
    """A generator that tells what its samples' values are drawn from."""

    def compute_shares(self, z: Tensor) -> Tensor:
        """z [N, z_dim] -> the shares of all values [N, W]; those of a field add up to 1."""
        ...

    def start_at_shares(self, shares: Tensor) -> None:
        """Have values drawn at about these shares [W] before training. All must be above 0."""
        ...


class PairShares(nn.Module):
    """For each pair of values the share of rows that hold both, [W, W]; 0 for values of the same field."""

    shares: Tensor
    is_pair: Tensor

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = list(sizes)
        owners = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        self.register_buffer("shares", torch.zeros(sum(sizes), sum(sizes)))
        self.register_buffer("is_pair", (owners[:, None] != owners[None]).float(), persistent=False)

    def compare(self, rows: Tensor) -> Tensor:
        """How far the pair shares of rows [N, W] are from those released: [W, W]."""
        return (rows.T @ rows / len(rows) - self.shares) * self.is_pair

    def compute_marginals(self) -> Tensor:
        """The share of rows that hold each value, [W]: the mean of what all tables with it say; at least LEAST_SHARE."""
        other_fields = len(self.sizes) - 1
        means = (self.shares.sum(1) / other_fields).clamp(min=LEAST_SHARE).split(self.sizes)
        return torch.cat([mean / mean.sum() for mean in means])


@config
class PairMatching:
    """Train G to match the noisy tables of all pairs of columns.

    epsilon, delta: the privacy that the tables cost. What is learnt from them costs nothing more.
    rows: how many rows of G a step compares with the tables.
    weight: a factor on the loss.
    """

    epsilon: float = 1.0
    delta: float = 1e-6
    rows: int = 1_000
    weight: float = 10.0

    def __post_init__(self) -> None:
        require(0 < self.epsilon < 1000, "epsilon", self.epsilon, "above 0, below 1000")
        require(0 < self.delta < 1, "delta", self.delta, "between 0 and 1, and well below 1 / rows")
        require(4 <= self.rows <= 65536, "rows", self.rows, "from 4 to 65536")
        require(self.weight > 0, "weight", self.weight, "above 0")

    @property
    def game(self) -> Adversarial:
        """It draws what G starts from."""
        return Adversarial()

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        """Raises GanvasError for samples that are not made of categories, or another generator than of rows."""
        if any(field.kind != "categorical" for field in spec.fields):
            raise GanvasError("pair tables need samples of categories alone: take the medium PublicTable, which has bins")
        if not isinstance(nets["G"], ShareGenerator):
            raise GanvasError(f"G is a {type(nets['G']).__name__}, which has no shares to compare: take RowShares")
        sizes = tuple(field.size for field in spec.fields)
        return nn.ModuleDict({**self.game.state(spec, nets), PAIRS: PairShares(sizes)})

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)._replace(critics=())

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_matching_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """The product of two halves' residuals: on average it is the square of the residual, without the sampling error."""
        G, pairs = nets["G"], nets[PAIRS]
        assert isinstance(G, ShareGenerator)
        assert isinstance(pairs, PairShares)
        z = torch.randn(self.rows, get_generator(nets).z_dim, device=pairs.shares.device)
        first, second = G.compute_shares(z).chunk(2)
        with torch.autocast(z.device.type, enabled=False):
            product = (pairs.compare(first) * pairs.compare(second)).sum()
        return Turn({"G/pairs": self.weight * product})

    def release(self, data: Dataset) -> StatisticsRelease:
        """The pair tables of all rows, with noise; and what they cost."""
        noisy = release_pairs(read_codes(data), [f.size for f in data.spec.fields], self.epsilon, self.delta)
        ledger = Ledger(self.delta).add(noisy.release)
        sentences = (
            f"private: {explain_epsilon(ledger.epsilon, self.delta)}",
            f"each count of the pair tables has noise of {noisy.deviation:.3g} rows; {SEED_SENTENCE}",
            ROW_SENTENCE,
            SUM_SENTENCE,
        )
        return StatisticsRelease({"shares": join_tables(noisy)}, ledger.to_json(), sentences)

    def load_release(self, nets: Nets, tensors: Mapping[str, Tensor]) -> None:
        """G begins at the marginals that the tables have. Raises GanvasError for statistics of other columns."""
        G, pairs, shares = nets["G"], nets[PAIRS], tensors["shares"]
        assert isinstance(G, ShareGenerator)
        assert isinstance(pairs, PairShares)
        if shares.shape != pairs.shares.shape:
            raise GanvasError(f"the released tables have {len(shares)} values, not {len(pairs.shares)}: train in a new folder")
        with torch.no_grad():
            pairs.shares.copy_(shares)
        G.start_at_shares(pairs.compute_marginals())


@cache
def _build_matching_stage(method: PairMatching) -> Stage:
    return Stage("pairs", (Phase("G", ("G",), method.play_g, needs_data=False),), batch=method.rows)


def read_codes(data: Dataset) -> np.ndarray:
    """Which value of each field each row holds: uint16 [N, fields]."""
    stored, sizes = data.columns["x"], [field.size for field in data.spec.fields]
    blocks = [
        torch.stack([part.argmax(1) for part in data.codec.load(block, None).split(sizes, 1)], 1).to(torch.uint16).cpu().numpy()
        for block in stored.split(ROWS_PER_BLOCK)
    ]
    return np.concatenate(blocks)


def join_tables(noisy: NoisyPairs) -> Tensor:
    """All tables as shares of rows in one symmetric matrix, float32 [W, W].

    Counts are rounded, because the last bits of floating-point noise can say more than they should (Mironov 2012).
    """
    sizes = {j: table.shape[1] for (_, j), table in noisy.tables.items()}
    sizes |= {i: table.shape[0] for (i, _), table in noisy.tables.items()}
    starts = [0, *accumulate(sizes[column] for column in sorted(sizes))]
    matrix = np.zeros((starts[-1], starts[-1]))
    for (i, j), table in noisy.tables.items():
        matrix[starts[i] : starts[i + 1], starts[j] : starts[j + 1]] = np.rint(table)
    return torch.from_numpy((matrix + matrix.T) / round(noisy.estimate_rows())).float()
