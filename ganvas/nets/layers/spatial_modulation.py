"""A norm whose scale and offset differ from place to place, as a map says. Park et al. 2019 (SPADE), eq. 1 and appendix A.

Other norms wash out a map of labels that goes in at the first layer: a picture of one label becomes all zeros (section 3.1).
"""

from torch import Tensor, nn

from .instance_norm import InstanceNorm, Norm


class SpatialModulation(nn.Module):
    """x [N, width, H, W] and a map [N, K, H·shrinking, W·shrinking] -> γ(map)·norm(x) + β(map).

    The map is shrunk by taking every so many pixels. γ starts near 1.

    hidden: channels between the map, and γ and β.
    """

    def __init__(self, width: int, map_channels: int, hidden: int, shrinking: int, norm: Norm) -> None:
        super().__init__()
        self.norm = build_plain_norm(norm, width)
        self.shrink = nn.AvgPool2d(1, shrinking)  # one pixel of so many
        self.shared = nn.Sequential(nn.Conv2d(map_channels, hidden, 3, padding=1), nn.ReLU(inplace=True))
        self.gamma = nn.Conv2d(hidden, width, 3, padding=1)
        self.beta = nn.Conv2d(hidden, width, 3, padding=1)

    def forward(self, x: Tensor, label_map: Tensor) -> Tensor:
        h = self.shared(self.shrink(label_map))
        return self.norm(x) * self.gamma(h) + self.beta(h)


def build_plain_norm(norm: Norm, width: int) -> nn.Module:
    """A norm without learnt weights, of [N, width, H, W]."""
    match norm:
        case "instance":
            return InstanceNorm()
        case "batch":
            return nn.BatchNorm2d(width, affine=False)
        case "none":
            return nn.Identity()


def initialise_modulated_weights(network: nn.Module) -> None:
    """Glorot & Bengio 2010, as the paper says; biases 0, those of γ 1."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for layer in network.modules():
        if isinstance(layer, SpatialModulation):
            nn.init.ones_(layer.gamma.bias)  # type: ignore[arg-type]
