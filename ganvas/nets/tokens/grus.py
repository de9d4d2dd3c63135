"""The two networks for discrete samples."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ...errors import require
from ..layers.labels import check_widths
from .critic import PrefixCritic
from .generator import TokenGenerator


@config
class TokenGRUs:
    """G draws letters or categories one after the other. D gives a logit after each.

    width, d_width: units of G's GRU and of D's.
    embedding: numbers that stand for a letter.
    dropout: the share of numbers that D does not see.
    """

    width: int = 128
    d_width: int = 96
    embedding: int = 32
    dropout: float = 0.1

    def __post_init__(self) -> None:
        check_widths(width=self.width, d_width=self.d_width, embedding=self.embedding)
        require(0 <= self.dropout < 1, "dropout", self.dropout, "0 or more, below 1")

    def build(self, spec: Spec) -> nn.ModuleDict:
        """Raises GanvasError for samples that hold more than categories or letters."""
        G = TokenGenerator(spec, self.embedding, self.width)
        return nn.ModuleDict({"G": G, "D": PrefixCritic(spec, self.embedding, self.d_width, self.dropout)})

    def smallest(self) -> "TokenGRUs":
        return replace(self, width=2, d_width=2, embedding=2)
