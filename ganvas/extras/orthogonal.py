"""Filters at right angles, so that truncated latents still make whole samples. Brock et al. 2019, eq. 3."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..config import config
from ..core import Nets, Scene
from ..errors import refuse


@config
class Orthogonal:
    """β/2·‖WWᵀ∘(1 - I)‖² over the player's weights, each seen as [out, rest]; embeddings of classes are left out.

    The half is that of the authors' code, whose gradient this has; the paper's β is twice as strong.
    """

    players: tuple[str, ...] = ("G",)
    beta: float = 1e-4

    def __post_init__(self) -> None:
        refuse(not self.beta >= 0, "method.extras.0.beta", self.beta, "0 or more", "--method.extras.0.beta 1e-4")

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, scene: Scene) -> Tensor | None:
        return self.beta * sum((off_diagonal(weight) for weight in weights(scene.nets[scene.player])), torch.zeros(()))

    def after(self, player: str, nets: Nets, seen: Mapping[str, Tensor]) -> None:
        pass


def weights(net: nn.Module) -> list[Tensor]:
    """The parameters with two axes or more, as they are stored, but for those of embeddings."""
    embeddings = {id(p) for module in net.modules() if isinstance(module, nn.Embedding) for p in module.parameters()}
    return [p for p in net.parameters() if p.dim() > 1 and id(p) not in embeddings]


def off_diagonal(weight: Tensor) -> Tensor:
    """½‖WWᵀ∘(1 - I)‖²: how far filters are from right angles."""
    rows = weight.flatten(1)
    products = rows @ rows.T
    return (products.square().sum() - products.diagonal().square().sum()) / 2
