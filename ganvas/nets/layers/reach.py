"""How far an output pixel of a network sees: which pixels of the input it depends on, found layer by layer.

A `Sight` maps the first and last output pixel along one axis to the first and last pixel of the layer's input that they depend
on. Statistics over the whole picture, such as those of instance norm, are left out.
"""

from collections.abc import Callable, Sequence

Sight = Callable[[int, int], tuple[int, int]]


def see_by_convolution(kernel: int, stride: int = 1, dilation: int = 1, padding: int | None = None) -> Sight:
    """A convolution, or a mean over a window. The default padding keeps the size at stride 1."""
    shift = dilation * (kernel - 1) // 2 if padding is None else padding
    return lambda first, last: (first * stride - shift, last * stride - shift + dilation * (kernel - 1))


def see_by_transposed_convolution(kernel: int, stride: int, padding: int) -> Sight:
    """A transposed convolution: input i reaches the outputs from i·stride - padding on, `kernel` of them."""
    return lambda first, last: (-((kernel - 1 - first - padding) // stride), (last + padding) // stride)


def see_by_repeating(factor: int) -> Sight:
    """An enlargement that repeats pixels or takes them from channels (pixel shuffle)."""
    return lambda first, last: (first // factor, last // factor)


def see_by_folding(factor: int) -> Sight:
    """A reduction that moves pixels into channels (pixel unshuffle)."""
    return lambda first, last: (first * factor, last * factor + factor - 1)


def measure_reach(layers: Sequence[Sight], scale: int, multiple: int) -> int:
    """How many pixels of the input an output pixel sees each way, through layers in the order in which they run.

    scale: output pixels per input pixel.
    multiple: the input's sides are multiples of it, so outputs repeat their pattern after scale·multiple pixels.
    """
    farthest = 0
    for pixel in range(scale * multiple):
        first = last = pixel
        for see in reversed(layers):
            first, last = see(first, last)
        farthest = max(farthest, pixel // scale - first, last - pixel // scale)
    return farthest
