"""Orthogonal filters, so that truncated latents still give good samples. Brock et al. 2019, eq. 3."""

from collections.abc import Mapping
from itertools import groupby
from typing import Literal

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import require


@config
class Orthogonal:
    """β/2·‖WWᵀ∘(1 - I)‖² over the player's weights, each reshaped to [out, rest]; class embeddings are left out.

    The factor 1/2 gives the gradient of the authors' code; the paper's β is twice as strong.
    """

    trains: tuple[Literal["G", "D"], ...] = ("G",)
    beta: float = 1e-4

    def __post_init__(self) -> None:
        require(self.beta >= 0, "beta", self.beta, "0 or more")

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        by_shape = groupby(sorted(collect_weights(inputs.nets[inputs.player]), key=shape_of), shape_of)
        return self.beta * sum((measure_non_orthogonality(torch.stack(list(group))) for _, group in by_shape), torch.zeros(()))

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass


def collect_weights(net: nn.Module) -> list[Tensor]:
    """The stored weights of linear and convolution layers (before spectral norm and the like), as [out, rest]."""
    matrices: list[Tensor] = []
    for layer in net.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            parametrizations = getattr(layer, "parametrizations", None)
            weight = layer.weight if parametrizations is None else parametrizations.weight.original
            matrices.append((weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight).flatten(1))
    return matrices


def shape_of(weight: Tensor) -> tuple[int, ...]:
    return tuple(weight.shape)


def measure_non_orthogonality(weights: Tensor) -> Tensor:
    """½‖WWᵀ∘(1 - I)‖² summed over [..., out, rest]: how far filters are from orthogonal."""
    with torch.autocast(weights.device.type, enabled=False):
        products = weights.float() @ weights.float().mT
    return (products.square().sum() - products.diagonal(dim1=-2, dim2=-1).square().sum()) / 2
