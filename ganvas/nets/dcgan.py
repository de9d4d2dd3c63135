"""Deep convolutional GAN. Radford, Metz & Chintala 2016.

Section 3: strided convolutions in place of pooling, no hidden fully connected layers, batch norm everywhere but in G's
output and D's input, ReLU in G with tanh at its end, LeakyReLU 0.2 in D, weights ~ N(0, 0.02). Figure 1: 5x5 kernels,
G 1024-512-256-128 channels from 4 px to 64 px; smaller images leave out the widest layers.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from ..configuration import config
from ..core import CriticOutput, GeneratorNetwork, Spec
from ..errors import refuse
from .layers.labels import check_widths, read_image_levels


class Generator(GeneratorNetwork):
    """z [N, z_dim] -> x [N, C, 4·2^levels, …] in [-1, 1]; `width` channels before the last layer, doubling downwards."""

    def __init__(self, z_dim: int, width: int, levels: int, channels: int, kernel: int) -> None:
        super().__init__()
        self.z_dim = z_dim
        pad, extra = (kernel - 1) // 2, kernel % 2
        widths = [width * 2**i for i in reversed(range(levels))]
        layers: list[nn.Module] = [nn.ConvTranspose2d(z_dim, widths[0], 4, bias=False)]  # 4 x 4: the projection
        for inputs, outputs in zip(widths, [*widths[1:], channels], strict=True):
            layers += [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True)]
            layers.append(nn.ConvTranspose2d(inputs, outputs, kernel, 2, pad, output_padding=extra, bias=False))
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z[:, :, None, None])


class Discriminator(nn.Module):
    """x [N, C, 4·2^levels, …] -> Verdict."""

    def __init__(self, width: int, levels: int, channels: int, kernel: int, has_batch_norm: bool) -> None:
        super().__init__()
        pad = (kernel - 1) // 2
        widths = [channels, *(width * 2**i for i in range(levels))]
        layers: list[nn.Module] = []
        for level, (inputs, outputs) in enumerate(pairwise(widths)):
            layers.append(nn.Conv2d(inputs, outputs, kernel, 2, pad, bias=False))
            if level and has_batch_norm:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(widths[-1], 1, 4, bias=False)

    def forward(self, x: Tensor) -> CriticOutput:
        h = self.layers(x)
        return CriticOutput(self.last(h).flatten(), h.flatten(1))


def initialise_dcgan_weights(module: nn.Module) -> None:
    """Convolutions ~ N(0, 0.02), batch-norm weights ~ N(1, 0.02)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


@config
class DCGAN:
    """The paper's networks for square images of 8, 16, 32, 64, … px. `kernel` 4 is the form that most code uses.

    d_norm: D's normalisation; gradient penalties, which are a sample's own, need "none".
    """

    z_dim: int = 100
    width: int = 128  # channels beside the image, doubling inwards
    kernel: int = 5
    d_norm: Literal["batch", "none"] = "batch"

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width)
        refuse(self.kernel not in (4, 5), "nets.kernel", self.kernel, "4 or 5", "--nets.kernel 5")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "DCGAN")
        G = Generator(self.z_dim, self.width, levels, channels, self.kernel)
        D = Discriminator(self.width, levels, channels, self.kernel, self.d_norm == "batch")
        return nn.ModuleDict({"G": G, "D": D}).apply(initialise_dcgan_weights)

    def smallest(self) -> "DCGAN":
        return replace(self, z_dim=2, width=2)
