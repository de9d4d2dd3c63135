"""An encoder beside another architecture's G: an autoencoder's two halves. Kingma & Welling 2014, appendix C."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...config import config
from ...core import Architecture, Spec
from ..compact import Compact, widths, zero_embedding
from ..layers.labels import check_widths, classes_of, image_levels


class Encoder(nn.Module):
    """x [N, C, 4·2^levels, …], label int64 [N] where there are `classes` -> mean and log variance of its code, [N, z_dim] each.

    `sizes` are the channels from the image inwards, each at half the size of the one before.
    """

    def __init__(self, z_dim: int, sizes: list[int], channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *sizes], sizes, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs)]
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.last = nn.Linear(sizes[-1] * 16, 2 * z_dim)
        self.label = zero_embedding(classes, sizes[-1] * 16) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        h = self.layers(x)
        if self.label is not None and label is not None:
            h = h + self.label(label)
        mean, log_variance = self.last(h).float().chunk(2, 1)
        return mean, log_variance


@config
class Encoded:
    """`nets` and E, for square images of 8, 16, 32, 64, … px.

    nets: whose G decodes.
    width: E's channels beside the image, doubling inwards up to `cap`.
    judged: whether `nets`' D is kept, for a hybrid of autoencoder and game.
    """

    nets: Architecture = Compact()
    width: int = 16
    cap: int = 256
    judged: bool = False

    def __post_init__(self) -> None:
        check_widths(width=self.width, cap=self.cap)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = image_levels(spec, "Encoded")
        built = self.nets.build(spec)
        classes = classes_of(spec) if getattr(built["G"], "conditional", False) else 0
        sizes = widths(self.width, self.cap, levels)[::-1]
        E = Encoder(int(built["G"].z_dim), sizes, channels, classes)  # type: ignore[arg-type]
        return nn.ModuleDict({"E": E, "G": built["G"], **({"D": built["D"]} if self.judged else {})})

    def smallest(self) -> "Encoded":
        return replace(self, nets=self.nets.smallest(), width=2, cap=4)


def sampled(mean: Tensor, log_variance: Tensor) -> Tensor:
    """A code from the posterior, through which gradients pass. Kingma & Welling 2014, section 2.4."""
    return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
