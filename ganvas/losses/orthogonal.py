"""Filters at right angles, so that truncated latents still make whole samples. Brock et al. 2019, eq. 3."""

from collections.abc import Mapping
from itertools import groupby
from typing import Literal

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import refuse


@config
class Orthogonal:
    """β/2·‖WWᵀ∘(1 - I)‖² over the player's weights, each seen as [out, rest]; embeddings of classes are left out.

    The half is that of the authors' code, whose gradient this has; the paper's β is twice as strong.
    """

    trains: tuple[Literal["G", "D"], ...] = ("G",)
    beta: float = 1e-4

    def __post_init__(self) -> None:
        refuse(not self.beta >= 0, "method.extras.0.beta", self.beta, "0 or more", "--method.extras.0.beta 1e-4")

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        by_shape = groupby(sorted(collect_weights(inputs.nets[inputs.player]), key=shape_of), shape_of)
        return self.beta * sum((measure_non_orthogonality(torch.stack(list(group))) for _, group in by_shape), torch.zeros(()))

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass


def collect_weights(net: nn.Module) -> list[Tensor]:
    """The weights of linear and convolution layers, as they are stored, seen as [out, rest]."""
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
    """½‖WWᵀ∘(1 - I)‖² of [..., out, rest], together: how far filters are from right angles."""
    with torch.autocast(weights.device.type, enabled=False):
        products = weights.float() @ weights.float().mT
    return (products.square().sum() - products.diagonal(dim1=-2, dim2=-1).square().sum()) / 2
