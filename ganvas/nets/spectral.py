"""Layers whose largest singular value is 1. Miyato et al. 2018, algorithm 1."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import register_parametrization

from ..config import config
from ..core import Architecture, Spec
from .layers import is_0
from .mlp import MLP

Net = TypeVar("Net", bound=nn.Module)
LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


class SpectralNorm(nn.Module):
    """W / σ(W), σ by one power iteration a use, from where the last one in training ended; W seen as [out, rest].

    In evaluation it iterates, too, and forgets it, as BigGAN-PyTorch does.
    """

    u: Tensor

    def __init__(self, weight: Tensor, axis: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        self.axis, self.eps = axis, eps
        self.register_buffer("u", normalize(torch.randn(weight.shape[axis]), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        rows = weight.transpose(0, self.axis).flatten(1)
        with torch.no_grad():
            v = normalize(self.u @ rows, dim=0, eps=self.eps)
            u = normalize(rows @ v, dim=0, eps=self.eps)
            if self.training:
                self.u.copy_(u)
        return weight / (u @ (rows @ v))


def spectral(net: Net, eps: float = 1e-12, but: Iterable[nn.Module | None] = ()) -> Net:
    """The network with every weight of its layers spectrally normalised, `but` those of some, and those that start at 0."""
    left_out = set(but)
    for layer in [module for module in net.modules() if isinstance(module, LAYERS) and module not in left_out]:
        if is_0(layer.weight):
            continue  # it has no direction to keep
        axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
        register_parametrization(layer, "weight", SpectralNorm(layer.weight, axis, eps))
    return net


@config
class Spectral:
    """Any networks, those of the `players` spectrally normalised."""

    nets: Architecture = MLP()
    players: tuple[Literal["G", "D"], ...] = ("D",)

    def build(self, spec: Spec) -> nn.ModuleDict:
        built = self.nets.build(spec)
        for player in self.players:
            spectral(built[player])
        return built

    def smallest(self) -> "Spectral":
        return replace(self, nets=self.nets.smallest())
