"""D that sees how alike the samples of a batch are, and so a G that makes them all alike. Salimans et al. 2016, section 3.2."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import Architecture, CriticOutput, Spec
from ...errors import refuse
from ..mlp import MLP
from .conditioning import count_features


class Closeness(nn.Module):
    """f [N, A] -> o [N, B]: o_ib = Σ_{j≠i} exp(-‖M_ib - M_jb‖₁), M = f·T of [N, B, C]; the paper's sum has i too, 1 more."""

    def __init__(self, inputs: int, kernels: int, dims: int) -> None:
        super().__init__()
        self.T = nn.Parameter(torch.randn(inputs, kernels, dims) / inputs**0.5)

    def forward(self, f: Tensor) -> Tensor:
        with torch.autocast(f.device.type, enabled=False):  # in bf16 what is small beside 1 would be lost
            M = torch.einsum("na,abc->nbc", f.float(), self.T)
            # a dimension at a time: twice as fast as all at once, where [N, N, B, C] leaves the cache; torch.cdist, three
            # times as fast, has no second derivative for gradient penalties
            distances = sum(((m[:, None] - m[None]).abs() for m in M.unbind(2)), torch.zeros(()))  # [N, N, B]
            return (-distances).exp().sum(1) - 1


class MinibatchDiscriminator(nn.Module):
    """D whose last layer sees its features and their closeness: two linear layers added are one of both side by side."""

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
    """Any networks, with minibatch discrimination in D: `kernels` numbers beside its features, each from `dims` dimensions."""

    nets: Architecture = MLP()
    kernels: int = 100
    dims: int = 5

    def __post_init__(self) -> None:
        for name in ("kernels", "dims"):
            refuse(not 1 <= getattr(self, name) <= 4096, f"nets.{name}", getattr(self, name), "1 to 4096", f"--nets.{name} 100")

    def build(self, spec: Spec) -> nn.ModuleDict:
        networks = self.nets.build(spec)
        networks["D"] = MinibatchDiscriminator(networks["D"], count_features(networks, spec), self.kernels, self.dims)
        return networks

    def smallest(self) -> "MinibatchDiscrimination":
        return replace(self, nets=self.nets.smallest(), kernels=2, dims=2)
