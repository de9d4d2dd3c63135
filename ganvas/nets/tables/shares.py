"""A perceptron that says what each value of a row is drawn from. Unlike `RowPerceptrons`, nothing of it is fitted to rows."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import GeneratorNetwork, Spec
from ..layers.labels import check_widths
from .fields import RowFields
from .rows import ResidualBlock


class ShareNetwork(GeneratorNetwork):
    """z [N, z_dim] -> x [N, W]. The last numbers of z draw the values, and the others decide their shares."""

    def __init__(self, spec: Spec, z_dim: int, width: int, blocks: int) -> None:
        super().__init__()
        self.fields = RowFields(spec)
        self.noise_dim, self.z_dim = z_dim, z_dim + self.fields.draw_count
        hidden = (ResidualBlock(width) for _ in range(blocks))
        self.layers = nn.Sequential(nn.Linear(z_dim, width), *hidden, nn.SiLU())
        self.last = nn.Linear(width, self.fields.width)

    def forward(self, z: Tensor) -> Tensor:
        return self.fields.draw(self.compute_outputs(z), torch.special.ndtr(z[:, self.noise_dim :]))

    def compute_outputs(self, z: Tensor) -> Tensor:
        """What the shares follow from, [N, W], in the order of the fields' groups."""
        return self.last(self.layers(z[:, : self.noise_dim])).float()

    def compute_shares(self, z: Tensor) -> Tensor:
        """z [N, z_dim] -> what the values of each row are drawn from [N, W]: the shares of all of a field add up to 1."""
        return self.fields.compute_shares(self.compute_outputs(z))

    def start_at_shares(self, shares: Tensor) -> None:
        """Have values drawn at about these shares [W] before training. All must be above 0."""
        with torch.no_grad():
            self.last.bias[self.fields.order] = shares.log()


@config
class RowShares:
    """G for rows of categories, without a D.

    z_dim: numbers that decide a row's shares, besides one for each category.
    """

    z_dim: int = 64
    width: int = 256
    blocks: int = 2

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width, blocks=self.blocks)

    def build(self, spec: Spec) -> nn.ModuleDict:
        return nn.ModuleDict({"G": ShareNetwork(spec, self.z_dim, self.width, self.blocks)})

    def smallest(self) -> "RowShares":
        return replace(self, z_dim=2, width=4, blocks=1)
