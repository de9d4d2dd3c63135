"""How far an output pixel sees, from the kernels of the layers between it and the input."""

from collections.abc import Iterable
from typing import NamedTuple

from torch import nn

from .antialiasing import BlurredDoubling, BlurredHalving
from .fourier import FourierUnit


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
        case nn.AvgPool2d():
            assert isinstance(layer.kernel_size, int)
            assert isinstance(layer.stride, int)
            assert isinstance(layer.padding, int)
            return Footprint(layer.kernel_size, layer.stride, layer.padding)
        case nn.PixelUnshuffle():
            return Footprint(layer.downscale_factor, layer.downscale_factor)
        case nn.PixelShuffle():
            return Footprint(layer.upscale_factor, layer.upscale_factor, is_transposed=True)
        case BlurredHalving():
            return Footprint(3, 2, 1)
        case BlurredDoubling():
            return Footprint(4, 2, 1, is_transposed=True)
        case nn.Upsample(mode="bilinear", scale_factor=2.0):
            return Footprint(4, 2, 1, is_transposed=True)
        case nn.Upsample(mode="nearest"):
            assert isinstance(layer.scale_factor, float)
            return Footprint(int(layer.scale_factor), int(layer.scale_factor), is_transposed=True)
        case _:
            return None


def compute_reach(path: Iterable[nn.Module], scale: int, multiple: int) -> int | None:
    """How many pixels of the input an output pixel sees each way, norms' statistics aside. None: all of them.

    path: layers, or groups of them, from the input to the output; where paths branch, the one that sees farthest.
    scale: output pixels per input pixel.
    multiple: the input's sides are multiples of it, so outputs that lie scale·multiple pixels apart see alike.
    """
    layers = [layer for group in path for layer in group.modules()]
    if any(isinstance(layer, FourierUnit) for layer in layers):
        return None
    footprints = [footprint for layer in layers if (footprint := read_footprint(layer)) is not None]
    farthest = 0
    for pixel in range(scale * multiple):
        first = last = pixel
        for footprint in reversed(footprints):
            first, last = footprint.find_inputs(first, last)
        farthest = max(farthest, pixel // scale - first, last - pixel // scale)
    return farthest
