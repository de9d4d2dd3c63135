"""Batch norm against a fixed batch, so that a sample does not depend on its neighbours. Salimans et al. 2016, section 3.5."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import Architecture, GeneratorNetwork, Spec
from ...errors import GanvasError, refuse
from ..layers.labels import read_condition_names
from ..mlp import MLP


class VirtualNorm(nn.Module):
    """Statistics of the first `count` samples, the reference, and, for each other one, of these and itself.

    With n reference samples and w = 1 / (n + 1): mean = w·mean(x) + (1 - w)·reference mean, squares alike.
    """

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, count: int) -> None:
        super().__init__()
        self.count, self.eps = count, norm.eps
        self.weight, self.bias = nn.Parameter(torch.ones(norm.num_features)), nn.Parameter(torch.zeros(norm.num_features))
        if norm.affine:
            self.load_state_dict({"weight": norm.weight, "bias": norm.bias})

    def forward(self, x: Tensor) -> Tensor:
        x, axes = x.float(), tuple(range(2, x.dim()))  # squares cancel: not in bf16
        mean, square = (x.mean(axes), x.square().mean(axes)) if axes else (x, x.square())
        own_weight = 1 / (self.count + 1)
        means, squares = (s[: self.count].mean(0, keepdim=True) for s in (mean, square))
        mean = torch.cat([means.expand(self.count, -1), own_weight * mean[self.count :] + (1 - own_weight) * means])
        square = torch.cat([squares.expand(self.count, -1), own_weight * square[self.count :] + (1 - own_weight) * squares])
        scale = ((square - mean.square()).clamp(min=0) + self.eps).rsqrt() * self.weight
        shift = self.bias - mean * scale
        return x * scale.view(*scale.shape, *[1] * len(axes)) + shift.view(*shift.shape, *[1] * len(axes))


class WithReferenceBatch(GeneratorNetwork):
    """G that makes the reference samples beside those asked for, and keeps them to itself."""

    reference: Tensor

    def __init__(self, net: nn.Module, count: int) -> None:
        super().__init__()
        self.net, self.count, self.z_dim = net, count, int(net.z_dim)  # type: ignore[arg-type]
        self.register_buffer("reference", torch.randn(count, int(net.z_dim)))  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        return self.net(torch.cat([self.reference, z]))[self.count :]


@config
class VirtualBatchNorm:
    """Any networks, G's batch norm against a reference batch of `count` latents: `count` more samples a step.

    The reference is normal: for z that is so, too. Within conditioning its labels are numbers like those, not one of K.
    """

    nets: Architecture = MLP()
    count: int = 32

    def __post_init__(self) -> None:
        refuse(not 2 <= self.count <= 4096, "nets.count", self.count, "2 to 4096", "--nets.count 32")

    def build(self, spec: Spec) -> nn.ModuleDict:
        networks = self.nets.build(spec)
        if read_condition_names(networks["G"]):
            raise GanvasError(
                "VirtualBatchNorm wraps networks without labels: put it inside of what makes them conditional, or switch the "
                "networks' own labels off (labels=False)"
            )
        norms = [(m, name, norm) for m in networks["G"].modules() for name, norm in m.named_children() if is_batch_norm(norm)]
        if not norms:
            raise GanvasError(f"G of {type(self.nets).__name__} has no batch norm to replace: leave VirtualBatchNorm out")
        for module, name, norm in norms:
            setattr(module, name, VirtualNorm(norm, self.count))  # type: ignore[arg-type]
        networks["G"] = WithReferenceBatch(networks["G"], self.count)
        return networks

    def smallest(self) -> "VirtualBatchNorm":
        return replace(self, nets=self.nets.smallest(), count=2)


def is_batch_norm(module: nn.Module) -> bool:
    return isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))
