"""The networks of `auto`: as few multiply-adds as pictures of clothes need, for training on a laptop's processor.

G projects z to 4x4 and doubles with 4x4 transposed convolutions, batch norm and LeakyReLU; D halves with 4x4 strided
convolutions and has no normalisation, so that its gradient penalties mean what they say.
"""

from torch import Tensor, nn

from ..config import config
from ..core import Spec
from .layers import check_widths, image_levels


def widths(width: int, cap: int, levels: int) -> list[int]:
    """Channels at 4 px, 8 px, … up to half the image's size: `width` at the largest, doubling downwards, at most `cap`."""
    return [min(cap, width * 2**i) for i in reversed(range(levels))]


class Generator(nn.Module):
    """z [N, z_dim] -> x [N, C, 4·2^levels, …] in [-1, 1]."""

    def __init__(self, z_dim: int, width: int, cap: int, levels: int, channels: int) -> None:
        super().__init__()
        self.z_dim = z_dim
        sizes = widths(width, cap, levels)
        layers: list[nn.Module] = [nn.Linear(z_dim, sizes[0] * 16), nn.Unflatten(1, (sizes[0], 4, 4))]
        for inputs, outputs in zip(sizes, [*sizes[1:], channels], strict=True):
            layers += [nn.BatchNorm2d(inputs), nn.LeakyReLU(0.2, inplace=True), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Discriminator(nn.Module):
    """x [N, C, 4·2^levels, …] -> logit [N]."""

    def __init__(self, width: int, cap: int, levels: int, channels: int) -> None:
        super().__init__()
        sizes = widths(width, cap, levels)[::-1]
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *sizes], sizes, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(sizes[-1] * 16, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).flatten()


@config
class Compact:
    """Square images of 8, 16, 32, 64, … px; D is half as wide as G."""

    z_dim: int = 64
    g_width: int = 32  # G's channels beside the image, doubling inwards
    d_width: int = 16  # D's
    cap: int = 256  # no layer is wider than this

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, g_width=self.g_width, d_width=self.d_width, cap=self.cap)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = image_levels(spec, "Compact")
        G = Generator(self.z_dim, self.g_width, self.cap, levels, channels)
        return nn.ModuleDict({"G": G, "D": Discriminator(self.d_width, self.cap, levels, channels)})

    def smallest(self) -> "Compact":
        return Compact(z_dim=2, g_width=2, d_width=2, cap=4)
