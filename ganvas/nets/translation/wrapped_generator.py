"""Generators around others, which decide what a network's output means: a change, a filling, colours."""

from collections.abc import Iterable

import torch
from torch import nn

from ...errors import GanvasError
from .source_generator import SourceGenerator


class WrappedGenerator(SourceGenerator):
    """A generator around another. It takes the same sources and sees as far."""

    output_at_zero = None

    def __init__(self, net: SourceGenerator) -> None:
        super().__init__()
        self.net = net
        self.conditions, self.multiple, self.scale = net.conditions, net.multiple, net.scale

    @property
    def smallest_side(self) -> int:
        return self.net.smallest_side

    @property
    def path(self) -> Iterable[nn.Module]:
        return self.net.path

    @property
    def convolutional_reach(self) -> int | None:
        return self.net.convolutional_reach


@torch.no_grad()
def silence_last_layer(net: SourceGenerator, wrapper: str) -> float:
    """Set the last convolution's weights to 0, and return what the network makes then, everywhere.

    Raises:
        GanvasError: a network that would still make its source.
    """
    if net.output_at_zero is None:
        raise GanvasError(
            f"{wrapper} needs a generator that makes its picture anew, and this one starts from the source by itself: use it "
            f"without {wrapper}, or take UNet, ResNet, SRResNet or RRDBNet"
        )
    layers = [layer for part in net.path for layer in part.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]
    last = layers[-1]
    last.weight.zero_()
    if last.bias is not None:
        last.bias.zero_()
    return net.output_at_zero


def require_same_size(net: SourceGenerator, wrapper: str) -> None:
    """Raises GanvasError for a network that enlarges."""
    if net.scale != 1:
        raise GanvasError(f"{wrapper} works on pictures of their sources' size, and its generator enlarges {net.scale} times")
