"""Any networks, spectrally normalised. Miyato et al. 2018."""

from dataclasses import replace
from typing import Literal

from torch import nn

from ...configuration import config
from ...core import Architecture, Spec
from ..layers.spectral_norm import add_spectral_norm
from ..mlp import MLP


@config
class WithSpectralNorm:
    """Any networks, those of the `players` spectrally normalised."""

    nets: Architecture = MLP()
    players: tuple[Literal["G", "D"], ...] = ("D",)

    def build(self, spec: Spec) -> nn.ModuleDict:
        networks = self.nets.build(spec)
        for player in self.players:
            add_spectral_norm(networks[player])
        return networks

    def smallest(self) -> "WithSpectralNorm":
        return replace(self, nets=self.nets.smallest())
