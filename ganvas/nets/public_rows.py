"""G and D for rows of which only public categories are known. Nothing of either is fitted to rows, as private runs need it."""

from dataclasses import replace

from torch import nn

from ..configuration import config
from ..core import Spec
from .layers.labels import check_widths
from .tables.rows import RowCritic
from .tables.shares import ShareNetwork


@config
class PublicRowPerceptrons:
    """G draws each value from shares, and D is a perceptron that sees one-hots.

    z_dim: numbers that decide a row's shares, besides one for each category.
    """

    z_dim: int = 64
    width: int = 256
    blocks: int = 2
    d_widths: tuple[int, ...] = (128, 128)

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, blocks=self.blocks)
        for width in self.d_widths:
            check_widths(d_widths=width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        G = ShareNetwork(spec, self.z_dim, self.width, self.blocks)
        return nn.ModuleDict({"G": G, "D": RowCritic(spec, self.d_widths, pieces=0)})

    def smallest(self) -> "PublicRowPerceptrons":
        return replace(self, z_dim=2, width=4, blocks=1, d_widths=(4,))
