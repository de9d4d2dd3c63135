"""What networks that translate images have in common: the facts that they state, and the sizes that they take."""

from typing import Protocol, runtime_checkable

from torch import nn

from ...core import GeneratorNetwork, ShapedCondition, Spec
from ...errors import GanvasError
from ..layers.instance_norm import InstanceNorm
from ..layers.labels import read_image_shape

ImageShape = tuple[int, int, int]  # channels, height, width
SOURCE = "source"  # the condition that is translated


class TranslatorNetwork(GeneratorNetwork):
    """source [N, C, H, W] -> x [N, C', scale·H, scale·W].

    It states three facts, from which any image can be translated: pad it up to a multiple, run, crop; or run tile by tile.
    """

    conditions = (SOURCE,)

    @property
    def multiple(self) -> int:
        """The source's sides must be multiples of this, in pixels."""
        return 1

    @property
    def scale(self) -> int:
        """The output's sides over the source's."""
        return 1

    @property
    def convolutional_reach(self) -> int:
        """How far an output pixel sees by convolutions, each way, in pixels of the source."""
        raise NotImplementedError

    @property
    def reach(self) -> int | None:
        """How far an output pixel sees, each way, in pixels of the source. None: everywhere, by instance norm's statistics."""
        has_instance_norm = any(isinstance(layer, InstanceNorm) for layer in self.modules())
        return None if has_instance_norm else self.convolutional_reach


@runtime_checkable
class TranslatorDesign(Protocol):
    """The settings of a translator. Frozen (@config)."""

    def build_translator(self, source: ImageShape, channels: int) -> TranslatorNetwork:
        """A network from such a source to x of so many channels. Raises GanvasError for sizes that it does not take."""
        ...

    def smallest(self) -> "TranslatorDesign":
        """The same design with as few parameters as possible, for tests."""
        ...


@runtime_checkable
class CriticDesign(Protocol):
    """The settings of a critic of images. Frozen (@config)."""

    def build_critic(self, x: ImageShape, source_channels: int) -> nn.Module:
        """A critic D(x); D(x, source) if there are channels of a source. Raises GanvasError for images that are too small."""
        ...

    def smallest(self) -> "CriticDesign":
        """The same design with as few parameters as possible, for tests."""
        ...


def read_source_shape(spec: Spec, network: str) -> ImageShape:
    """(channels, height, width) of the images to translate. Raises GanvasError if the data has none."""
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


def check_scale(translator: TranslatorNetwork, source: ImageShape, x: tuple[int, ...], network: str) -> None:
    """Raises GanvasError unless x is `scale` times the source's size."""
    if x[1:] != tuple(translator.scale * side for side in source[1:]):
        raise GanvasError(
            f"{network} makes images of {translator.scale} times the source's size, and the data pairs {source[2]}x{source[1]} "
            f"with {x[2]}x{x[1]} (width x height): set both media's `size` to fit"
        )


def check_multiple(source: ImageShape, multiple: int, smallest: int, network: str) -> None:
    """Raises GanvasError unless both sides are multiples of `multiple` and at least `smallest`."""
    _, height, width = source
    if any(side % multiple or side < smallest for side in (height, width)):
        sizes = [max(smallest, -(-side // multiple) * multiple) for side in (width, height)]
        fitting_size = str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}x{sizes[1]}"
        raise GanvasError(
            f"{network} takes images whose sides are multiples of {multiple} from {smallest} px, got {width}x{height} "
            f"(width x height): resize the data, by setting the media's `size` to {fitting_size}"
        )
