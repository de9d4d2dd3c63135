"""How far an output pixel sees, from the kernels of the layers between it and the input."""

from collections.abc import Iterable
from typing import NamedTuple

from torch import nn

from .antialiasing import BlurredDoubling, BlurredHalving


class Footprint(NamedTuple):
    """What a layer reads, per axis: output o sees inputs stride·o - padding and the kernel - 1 after it.

    is_transposed: the other way round, input i writes outputs stride·i - padding and the kernel - 1 after it.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    is_transposed: bool = False

    def find_inputs(self, first: int, last: int) -> tuple[int, int]:
        """The first and last input that the outputs from `first` to `last` see."""
        if self.is_transposed:
            return -((self.kernel - 1 - self.padding - first) // self.stride), (last + self.padding) // self.stride
        return first * self.stride - self.padding, last * self.stride - self.padding + self.kernel - 1


def read_footprint(layer: nn.Module) -> Footprint | None:
    """The footprint of a layer with square kernels; None if each output sees one input only, or for an unknown layer."""
    match layer:
        case nn.Conv2d():
            assert not isinstance(layer.padding, str)
            dilated_kernel = layer.dilation[0] * (layer.kernel_size[0] - 1) + 1
            return Footprint(dilated_kernel, layer.stride[0], layer.padding[0])
        case nn.ConvTranspose2d():
            assert not isinstance(layer.padding, str)
            return Footprint(layer.kernel_size[0], layer.stride[0], layer.padding[0], is_transposed=True)
        case nn.ReflectionPad2d():
            return Footprint(1, 1, layer.padding[0])
        case BlurredHalving():
            return Footprint(3, 2, 1)
        case BlurredDoubling():
            return Footprint(4, 2, 1, is_transposed=True)
        case _:
            return None


def compute_reach(layers: Iterable[nn.Module], period: int) -> int:
    """The largest distance, in pixels, between an output and an input that it sees. The output has the input's size.

    layers: from the input to the output; where paths branch, the one that sees farthest.
    period: outputs that lie so many pixels apart see alike.
    """
    footprints = [footprint for layer in layers if (footprint := read_footprint(layer)) is not None]
    distances: list[int] = []
    for pixel in range(period):
        first, last = pixel, pixel
        for footprint in reversed(footprints):
            first, last = footprint.find_inputs(first, last)
        distances += [pixel - first, last - pixel]
    return max(distances)
