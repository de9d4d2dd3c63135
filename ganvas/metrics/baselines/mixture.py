"""A mixture fitted by EM: what likelihood alone reaches in seconds."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ...configuration import config
from ...core import Codec, Dataset
from ...errors import require
from ..tables.mixtures import CodeRanks, choose_mixture

MIN_ROWS = 200  # fewer tell no components apart


@runtime_checkable
class CodeCodec(Protocol):
    """A codec of rows whose columns are stored as codes."""

    def lay_out(self) -> Sequence[CodeRanks]:
        """What each column's codes stand for."""
        ...


@config
class MixtureByEM:
    """Rows of a mixture (see `choose_mixture`). Published generators of tables rarely beat it."""

    components: int = 1024  # at most

    def __post_init__(self) -> None:
        require(1 <= self.components <= 100_000, "components", self.components, "from 1 to 100,000")

    @property
    def name(self) -> str:
        return "mixture by EM"

    def applies_to(self, codec: Codec) -> bool:
        return isinstance(codec, CodeCodec) and len(codec.lay_out()) > 1

    def draw(self, training: Dataset, n: int, generator: torch.Generator) -> Tensor:
        codec, codes = training.codec, training.columns["x"].cpu().numpy()
        assert isinstance(codec, CodeCodec)
        seed = int(torch.randint(2**31, (), generator=generator))
        mixture = choose_mixture(codes, codec.lay_out(), self.components, seed=0)  # as a run of seed 0 does
        return torch.from_numpy(mixture.draw(n, seed))
