"""The multilayer perceptrons that GANs are first taught with, on samples of any shape. Goodfellow et al. 2014.

The default widths are those of the classic MNIST exercise: G 100-256-512-1024-784, D 784-512-256-1.
"""

from dataclasses import replace
from math import pi, prod

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from .layers.labels import check_widths


class Generator(GeneratorNetwork):
    """z [N, z_dim] -> x [N, *shape]; hidden layers: linear, LeakyReLU 0.2, then batch norm if asked for."""

    def __init__(
        self, z_dim: int, hidden_widths: tuple[int, ...], shape: tuple[int, ...], has_batch_norm: bool, has_tanh: bool
    ) -> None:
        super().__init__()
        self.z_dim = z_dim
        layers: list[nn.Module] = []
        for inputs, outputs in zip((z_dim, *hidden_widths), hidden_widths, strict=False):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
            if has_batch_norm:  # momentum 0.8 in Keras' sense is 0.2 here
                layers.append(nn.BatchNorm1d(outputs, momentum=0.2))
        layers.append(nn.Linear((z_dim, *hidden_widths)[-1], prod(shape)))
        if has_tanh:
            layers.append(nn.Tanh())
        self.layers = nn.Sequential(*layers, nn.Unflatten(1, shape))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class FourierFeatures(nn.Module):
    """x [N, D] -> [x, sin 2πBx, cos 2πBx], B ~ N(0, 1) and fixed: fine structure within reach. Tancik et al. 2020, eq. 5."""

    frequencies: Tensor

    def __init__(self, inputs: int, count: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(inputs, count))

    def forward(self, x: Tensor) -> Tensor:
        angles = 2 * pi * (x @ self.frequencies)
        return torch.cat([x, angles.sin(), angles.cos()], 1)


class Discriminator(nn.Module):
    """x [N, *shape] -> Verdict."""

    def __init__(self, hidden_widths: tuple[int, ...], shape: tuple[int, ...], frequencies: int) -> None:
        super().__init__()
        widths = (prod(shape) + 2 * frequencies, *hidden_widths)
        layers: list[nn.Module] = [nn.Flatten()]
        if frequencies:
            layers.append(FourierFeatures(prod(shape), frequencies))
        for inputs, outputs in zip(widths, hidden_widths, strict=False):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Linear(widths[-1], 1)

    def forward(self, x: Tensor) -> CriticOutput:
        h = self.layers(x)
        return CriticOutput(self.last(h).squeeze(1), h)


@config
class MLP:
    """G and D as multilayer perceptrons. `tanh` bounds samples to [-1, 1]; points in the plane go without.

    frequencies: Fourier features that D sees beside each sample, for narrow modes; 0 is none.
    """

    z_dim: int = 100
    g_hidden: tuple[int, ...] = (256, 512, 1024)
    d_hidden: tuple[int, ...] = (512, 256)
    batch_norm: bool = True
    tanh: bool = True
    frequencies: int = 0

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, frequencies=self.frequencies or 1)
        for width in (*self.g_hidden, *self.d_hidden):
            check_widths(g_hidden=width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        G = Generator(self.z_dim, self.g_hidden, spec.shape, self.batch_norm, self.tanh)
        return nn.ModuleDict({"G": G, "D": Discriminator(self.d_hidden, spec.shape, self.frequencies)})

    def smallest(self) -> "MLP":
        return replace(self, z_dim=2, g_hidden=(4,), d_hidden=(4,), frequencies=min(self.frequencies, 2))
