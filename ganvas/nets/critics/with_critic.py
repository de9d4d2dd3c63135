"""Any generator, against any of the critics in this folder."""

from dataclasses import replace
from typing import Protocol, runtime_checkable

from torch import nn

from ...configuration import config
from ...core import Architecture, Spec
from ..restoration.msrresnet import MSRResNet
from .vgg_critic import VGGCritic


@runtime_checkable
class CriticArchitecture(Protocol):
    """A critic that fits any generator of pictures. Frozen settings (@config)."""

    def build_critic(self, spec: Spec) -> nn.Module:
        """x [N, …], and G's conditions by name -> CriticOutput. Raises GanvasError for a spec that it does not support."""
        ...

    def smallest(self) -> "CriticArchitecture":
        """The same critic with as few parameters as possible, for tests."""
        ...


@config
class WithCritic:
    """The G of `nets`, and `critic` as its D."""

    nets: Architecture = MSRResNet()
    critic: CriticArchitecture = VGGCritic()

    def build(self, spec: Spec) -> nn.ModuleDict:
        return nn.ModuleDict({"G": self.nets.build(spec)["G"], "D": self.critic.build_critic(spec)})

    def smallest(self) -> "WithCritic":
        return replace(self, nets=self.nets.smallest(), critic=self.critic.smallest())
