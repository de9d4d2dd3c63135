"""Open a run's translator: its network, its direction, and what its pictures are like."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Codec, Request, Spec, seeded_generator
from ..data.columns import list_column_codecs, list_source_names
from ..errors import GanvasError
from ..media import ImageCodec, LabelMapCodec
from ..nets.translation import SourceGenerator
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler, open_sampler
from .picture_files import WHITE, read_file, read_pixels
from .tiling import TilingSettings
from .translator import MASK, SOURCE, Translator


class RunTranslator(NamedTuple):
    """A run's translator, and what belongs to it."""

    translator: Translator
    codec: ImageCodec | LabelMapCodec  # how the run's sources were brought to their size
    provenance: Mapping[str, str]  # the metadata for translated files
    source_names: tuple[str, ...] = ()  # of several sources that the run stacks into one, in their order

    def read_source(self, image: str | Path | Picture | np.ndarray) -> np.ndarray:
        """A picture as uint8 or uint16 [H, W, C], or a map of labels as numbers of classes, uint8 [H, W, 1].

        Raises:
            GanvasError: a file that cannot be read, or a label that the run does not know.
        """
        return read_pixels(image) if isinstance(self.codec, ImageCodec) else read_classes(self.codec, image)

    def resize_to_run(self, pixels: np.ndarray) -> np.ndarray:
        """A picture [H, W, C] in the size that the run was trained at, framed as its data was."""
        if isinstance(self.codec, LabelMapCodec):
            return self.codec.frame(pixels)
        return replace(self.codec, channels=pixels.shape[2], depth=8 * pixels.dtype.itemsize).encode(pixels)


def read_classes(codec: LabelMapCodec, image: str | Path | Picture | np.ndarray) -> np.ndarray:
    """A map of labels as numbers of classes, uint8 [H, W, 1]. Raises GanvasError with the file's name."""
    if not isinstance(image, (str, Path)):
        return codec.read_classes(np.asarray(image))
    data = read_file(Path(image))
    try:
        return codec.read_classes(data)
    except GanvasError as error:
        raise GanvasError(f"{image} {error}") from None


class Direction(NamedTuple):
    """Which network translates, and what its pictures are like."""

    network: str
    source_shape: tuple[int, ...]  # (channels, height, width) in training
    channels: int  # of the results
    codec: ImageCodec | LabelMapCodec  # of the sources


def open_translator(
    run: str | Path | RunFolder,
    reverse: bool = False,
    conditions: Mapping[str, str] | None = None,
    tiling: TilingSettings = TilingSettings(),  # noqa: B008
    checkpoint: str = "best",
    device: str = "auto",
) -> RunTranslator:
    """A run's translator, with the weights and the evaluation mode that all samples are made with.

    Args:
        reverse: translate results back into sources, for methods that train a second network for that.
        conditions: requested values by condition, as text: {"label": "smiling"}.

    Raises:
        GanvasError: a run that translates nothing, no way back, or no value for a condition that the network needs.
    """
    sampler = open_sampler(run, checkpoint, device, conditions)
    direction = choose_direction(sampler, reverse)
    G = get_source_generator(sampler, direction.network)
    inputs = prepare_inputs(sampler, G)
    translator = Translator(
        G,
        direction.source_shape[0],
        direction.channels,
        tiling,
        direction.codec.background if isinstance(direction.codec, ImageCodec) else WHITE,
        inputs,
        None if reverse else lambda inputs: sampler.method.render(sampler.nets, inputs),
        isinstance(direction.codec, LabelMapCodec),
    )
    provenance = sampler.describe_provenance("none: a translation" + (" back" if reverse else ""))
    return RunTranslator(translator, direction.codec, provenance, () if reverse else list_source_names(sampler.codec))


def get_source_generator(sampler: Sampler, name: str) -> SourceGenerator:
    """The network that translates. Raises GanvasError if it does not start from a picture."""
    network = sampler.nets[name]
    if not isinstance(network, SourceGenerator):
        raise GanvasError(
            f"{sampler.run.path} makes samples, but not from pictures: ganvas generate makes them, "
            "and a recipe such as pix2pix trains a translator"
        )
    return network


def choose_direction(sampler: Sampler, reverse: bool) -> Direction:
    """There, or back. Raises GanvasError if there is no way back, or if the run translates nothing."""
    get_source_generator(sampler, sampler.traits.generator)
    x_shape, source_shape = sampler.spec.shape, find_source_shape(sampler.spec)
    codecs = list_column_codecs(sampler.codec)
    if not reverse:
        codec = find_image_codec(codecs.get(SOURCE, codecs["x"]), source_shape)
        return Direction(sampler.traits.generator, source_shape, x_shape[0], codec)
    name = sampler.traits.reverse_generator
    if name is None:
        raise GanvasError(
            f"this run has no network for the way back: its method, {type(sampler.method).__name__}, trains one direction. "
            "Methods such as Cycle train both; or train another run with source and target exchanged"
        )
    return Direction(name, x_shape, source_shape[0], find_image_codec(codecs["x"], x_shape))


def find_source_shape(spec: Spec) -> tuple[int, ...]:
    """(channels, height, width) of the sources in training; where the data names none, samples are sources themselves."""
    condition: Any = spec.conditions.get(SOURCE)
    return spec.shape if condition is None else tuple(condition.shape)


def find_image_codec(codec: Codec, shape: tuple[int, ...]) -> ImageCodec | LabelMapCodec:
    """How such pictures were brought to their size; for codecs of another kind, the usual settings."""
    if isinstance(codec, (ImageCodec, LabelMapCodec)):
        return codec
    channels, height, width = shape
    return ImageCodec(size=f"{width}x{height}", channels=channels)


def prepare_inputs(sampler: Sampler, G: SourceGenerator) -> dict[str, Tensor]:
    """The inputs beside source and mask: the requested label, and a z that is always the same.

    Raises:
        GanvasError: no value for a condition that the network needs.
    """
    requested = sampler.request.conditions
    names = [name for name in G.conditions if name not in (SOURCE, MASK)]
    for name in names:
        if name not in requested:
            possible = sampler.spec.conditions[name].describe()
            raise GanvasError(f"this run needs a {name} to translate to, and none was given: --label, one of {possible}")
    inputs = {name: requested[name][None] for name in names}
    if G.z_dim:
        blank = {name: torch.zeros(()) for name in (SOURCE, MASK)}  # they are not drawn then
        request = Request({**blank, **requested})
        inputs["z"] = sampler.method.draw_latents(sampler.nets, 1, seeded_generator(0, "translation"), request)["z"]
    return {name: value.to(sampler.device) for name, value in inputs.items()}
