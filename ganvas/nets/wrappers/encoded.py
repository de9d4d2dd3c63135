"""An encoder beside another architecture's G: an autoencoder's two halves. Kingma & Welling 2014, appendix C."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import Architecture, Spec
from ..compact import Compact, build_zero_embedding, compute_compact_widths
from ..layers.labels import check_widths, count_classes, read_condition_names, read_image_levels


class Encoder(nn.Module):
    """x [N, C, 4·2^levels, …], label int64 [N] where there are `classes` -> mean and log variance of its code, [N, z_dim] each.

    `sizes` are the channels from the image inwards, each at half the size of the one before.
    """

    def __init__(self, z_dim: int, widths: list[int], channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs)]
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.last = nn.Linear(widths[-1] * 16, 2 * z_dim)
        self.label = build_zero_embedding(classes, widths[-1] * 16) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        h = self.layers(x)
        if self.label is not None and label is not None:
            h = h + self.label(label)
        mean, log_variance = self.last(h).float().chunk(2, 1)
        return mean, log_variance


@config
class WithEncoder:
    """`nets` and E, for square images of 8, 16, 32, 64, … px.

    nets: whose G decodes.
    width: E's channels beside the image, doubling inwards up to `cap`.
    judged: whether `nets`' D is kept, for a hybrid of autoencoder and game.
    """

    nets: Architecture = Compact()
    width: int = 16
    cap: int = 256
    has_discriminator: bool = False

    def __post_init__(self) -> None:
        check_widths(width=self.width, cap=self.cap)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "Encoded")
        networks = self.nets.build(spec)
        classes = count_classes(spec) if read_condition_names(networks["G"]) else 0
        encoder_widths = compute_compact_widths(self.width, self.cap, levels)[::-1]
        E = Encoder(int(networks["G"].z_dim), encoder_widths, channels, classes)  # type: ignore[arg-type]
        return nn.ModuleDict({"E": E, "G": networks["G"], **({"D": networks["D"]} if self.has_discriminator else {})})

    def smallest(self) -> "WithEncoder":
        return replace(self, nets=self.nets.smallest(), width=2, cap=4)


def sample_posterior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """A code from the posterior, through which gradients pass. Kingma & Welling 2014, section 2.4."""
    return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
