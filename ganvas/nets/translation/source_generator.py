"""What all generators that start from a picture have in common: the facts that they state, and the sizes that they take."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from ...core import GeneratorNetwork, ShapedCondition, Spec
from ...errors import GanvasError
from ..layers.instance_norm import InstanceNorm
from ..layers.labels import ImageShape, read_image_shape
from ..layers.reach import compute_reach

SOURCE = "source"  # the condition that a generator starts from


class SourceGenerator(GeneratorNetwork):
    """Makes a picture from a picture: source [N, C, H, W] in [-1, 1] -> x [N, C', scale·H, scale·W].

    It states a few facts, by which any picture can go through: pad it up to a multiple, run, crop; or run tile by tile.
    """

    conditions = (SOURCE,)
    multiple: int = 1  # the source's sides are multiples of it, in pixels
    scale: int = 1  # output pixels per pixel of the source
    output_at_zero: float | None = 0.0  # what it makes where its last convolution is 0; None: something of its source

    @property
    def smallest_side(self) -> int:
        """The least that a side of the source may have, in pixels: less has no border to mirror, or nothing to normalise."""
        return self.multiple

    @property
    def path(self) -> Iterable[nn.Module]:
        """The layers, or groups of them, from the source to the output; where paths branch, the one that sees farthest."""
        return (self,)

    @property
    def convolutional_reach(self) -> int | None:
        """How far an output pixel sees each way, in pixels of the source, statistics aside. None: everywhere (Fourier)."""
        return compute_reach(self.path, self.scale, self.multiple)

    @property
    def reach(self) -> int | None:
        """How far an output pixel sees each way, in pixels of the source. None: everywhere, by Fourier or instance norm."""
        has_instance_norm = any(isinstance(layer, InstanceNorm) for layer in self.modules())
        return None if has_instance_norm else self.convolutional_reach

    def check_source(self, source: Tensor) -> None:
        """Raises GanvasError for a source whose sides do not fit."""
        check_sides(self, source.shape[2], source.shape[3], "this generator")


@runtime_checkable
class GeneratorDesign(Protocol):
    """The settings of a generator that starts from a picture. Frozen (@config)."""

    def build_generator(self, source: ImageShape, channels: int) -> SourceGenerator:
        """A network from such a source to x of so many channels. Raises GanvasError for channels that it does not take."""
        ...

    def smallest(self) -> "GeneratorDesign":
        """The same design with as few parameters as possible, for tests."""
        ...


def read_source_shape(spec: Spec, network: str) -> ImageShape:
    """(channels, height, width) of the sources. Raises GanvasError if the data has none, or if samples are not images."""
    read_image_shape(spec, network)
    source = spec.conditions.get(SOURCE)
    if not isinstance(source, ShapedCondition) or len(source.shape) != 3:
        given_names = ", ".join(spec.conditions) or "none"
        raise GanvasError(
            f"{network} needs a source image for each sample, and the data has other conditions: {given_names}. "
            "Give pairs or two folders of images"
        )
    channels, height, width = source.shape
    return channels, height, width


def build_fitting_generator(design: GeneratorDesign, source: ImageShape, x: ImageShape) -> SourceGenerator:
    """The design's network from such a source to such an x.

    Raises:
        GanvasError: a source whose sides do not fit, or an x that is not `scale` times as large.
    """
    G, name = design.build_generator(source, x[0]), type(design).__name__
    check_sides(G, source[1], source[2], name)
    check_scale(G, source, x, name)
    return G


def check_sides(G: SourceGenerator, height: int, width: int, name: str) -> None:
    """Raises GanvasError unless both sides are multiples of `multiple` and at least `smallest_side`."""
    multiple, smallest = G.multiple, G.smallest_side
    if any(side % multiple or side < smallest for side in (height, width)):
        sizes = [max(smallest, -(-side // multiple) * multiple) for side in (width, height)]
        fitting_size = str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}x{sizes[1]}"
        raise GanvasError(
            f"{name} takes sources whose sides are multiples of {multiple} from {smallest} px, got {width}x{height} "
            f"(width x height): set the media's `size` to {fitting_size}, or pad the source to it and crop the result"
        )


def check_scale(G: SourceGenerator, source: ImageShape, x: ImageShape, name: str) -> None:
    """Raises GanvasError unless x is `scale` times the source's size."""
    if x[1:] != tuple(G.scale * side for side in source[1:]):
        raise GanvasError(
            f"{name} makes images of {G.scale} times the source's size, and the data pairs {source[2]}x{source[1]} "
            f"with {x[2]}x{x[1]} (width x height): set both media's `size` to fit"
        )


def check_same_channels(source: ImageShape, channels: int, name: str) -> None:
    """Raises GanvasError unless x has as many channels as its source."""
    if source[0] != channels:
        raise GanvasError(
            f"{name} adds details to its source, so both need as many channels, got {source[0]} for the source and "
            f"{channels}: give both media the same `channels`, or choose another generator, such as RRDBNet"
        )
