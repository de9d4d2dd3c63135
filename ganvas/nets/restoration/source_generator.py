"""What all generators that start from a picture have in common: the sizes they take, their scale and their reach."""

from typing import NamedTuple

from torch import Tensor

from ...core import GeneratorNetwork, Spec
from ...errors import GanvasError
from ..layers.labels import read_image_shape


class SourceGenerator(GeneratorNetwork):
    """Makes a picture from a picture: source [N, C, H, W] in [-1, 1] -> x [N, C', H·scale, W·scale]."""

    conditions = ("source",)
    multiple: int = 1  # the source's sides are multiples of it, two or more: pad the source, then crop the result
    scale: int = 1  # output pixels per pixel of the source
    reach: int | None = None  # pixels of the source that an output pixel sees each way, statistics aside; None: all

    def check_sides(self, source: Tensor) -> None:
        """Raises GanvasError for a side that is not a multiple of `multiple`."""
        height, width = source.shape[-2:]
        if height % self.multiple or width % self.multiple:
            raise GanvasError(
                f"this generator takes sides that are multiples of {self.multiple}, got {width}x{height} (width x height): "
                "pad the source, and crop the result"
            )


class SourceShape(NamedTuple):
    """The channels of samples and of their sources."""

    channels: int
    source_channels: int


def read_source_shape(spec: Spec, network: str, scale: int, multiple: int) -> SourceShape:
    """The channels of x and of the source, which has 1/scale of its size; without a source in the spec, as many as x.

    Raises:
        GanvasError: samples that are not images, or of sides that the generator cannot make.
    """
    channels, height, width = read_image_shape(spec, network)
    step = scale * multiple
    if height % step or width % step:
        sides = " or ".join(dict.fromkeys(f"{max(1, side // step) * step}" for side in (width, height)))
        raise GanvasError(
            f"{network} makes images whose sides are multiples of {step}, got {width}x{height} (width x height): resize the "
            f"data, by setting the medium's `size` to {sides}"
        )
    return SourceShape(channels, count_condition_channels(spec, "source", height * width // scale**2, channels))


def require_same_channels(spec: Spec, network: str, scale: int, multiple: int) -> int:
    """The channels of x and of its source. Raises GanvasError if they differ, or as `read_source_shape` does."""
    shape = read_source_shape(spec, network, scale, multiple)
    if shape.source_channels != shape.channels:
        raise GanvasError(
            f"{network} adds details to its source, so both need as many channels, got {shape.source_channels} for the source "
            f"and {shape.channels}: give both media the same `channels`, or choose other networks, such as RRDBNet"
        )
    return shape.channels


def count_condition_channels(spec: Spec, name: str, pixels: int, default: int) -> int:
    """The channels of a condition that is a picture of so many pixels; `default` if the spec does not have it.

    Raises:
        GanvasError: the condition has another number of pixels.
    """
    condition = spec.conditions.get(name)
    if condition is None:
        return default
    if condition.size % pixels:
        raise GanvasError(
            f"{name!r} has {condition.size} numbers, which are no picture of {pixels} pixels ({condition.describe()}): give "
            "pictures of the size that the networks' `scale` asks for"
        )
    return condition.size // pixels


def to_unit_range(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], where zero padding is black, as in the original authors' code."""
    return x * 0.5 + 0.5


def from_unit_range(x: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]."""
    return x * 2 - 1
