"""D sees how alike the samples of a batch are, so that G cannot make them all alike. Salimans et al. 2016, section 3.2."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import Architecture, CriticOutput, Spec
from ...errors import require
from ..mlp import MLP
from .conditioning import count_features


class Closeness(nn.Module):
    """f [N, A] -> o [N, B]: o_ib = Σ_{j≠i} exp(-‖M_ib - M_jb‖₁), M = f·T [N, B, C]. The paper's sum has j = i, too: 1 more."""

    def __init__(self, inputs: int, kernels: int, dims: int) -> None:
        super().__init__()
        self.T = nn.Parameter(torch.randn(inputs, kernels, dims) / inputs**0.5)

    def forward(self, f: Tensor) -> Tensor:
        with torch.autocast(f.device.type, enabled=False):  # bf16 would lose small terms next to 1
            M = torch.einsum("na,abc->nbc", f.float(), self.T)
            # One dimension at a time is twice as fast as all at once, because [N, N, B, C] leaves the cache. torch.cdist is
            # three times as fast, but has no second derivative for gradient penalties.
            distances = sum(((m[:, None] - m[None]).abs() for m in M.unbind(2)), torch.zeros(()))  # [N, N, B]
            return (-distances).exp().sum(1) - 1


class MinibatchDiscriminator(nn.Module):
    """D whose last layer sees features and closeness: the sum of two linear layers equals one layer on both."""

    def __init__(self, net: nn.Module, inputs: int, kernels: int, dims: int) -> None:
        super().__init__()
        self.net, self.closeness = net, Closeness(inputs, kernels, dims)
        self.last = nn.Linear(kernels, 1, bias=False)

    def forward(self, x: Tensor, **conditions: Tensor) -> CriticOutput:
        logit, features = self.net(x, **conditions)
        closeness = self.closeness(features)
        return CriticOutput(logit + self.last(closeness).squeeze(1), torch.cat([features, closeness], 1))


@config
class MinibatchDiscrimination:
    """Any networks, with minibatch discrimination in D: `kernels` more features, each from `dims` dimensions."""

    nets: Architecture = MLP()
    kernels: int = 100
    dims: int = 5

    def __post_init__(self) -> None:
        for name in ("kernels", "dims"):
            require(1 <= getattr(self, name) <= 4096, name, getattr(self, name), "from 1 to 4096")

    def build(self, spec: Spec) -> nn.ModuleDict:
        networks = self.nets.build(spec)
        networks["D"] = MinibatchDiscriminator(networks["D"], count_features(networks, spec), self.kernels, self.dims)
        return networks

    def smallest(self) -> "MinibatchDiscrimination":
        return replace(self, nets=self.nets.smallest(), kernels=2, dims=2)
