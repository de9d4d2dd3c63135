"""Pictures, each with a source that is made from it when a batch is loaded: small, gray, noisy, with holes."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..configuration import config, to_json
from ..core import Batch, Codec, Condition, Items, Spec, seeded_generator
from ..errors import GanvasError
from .conditions import build_sample_condition, choose_example_rows
from .degradations import Degradation, degrade
from .image.codec import ImageCodec
from .image.medium import Image
from .image.sizes import MIN_SIDE, PictureSize
from .masks import MaskCodec

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


@runtime_checkable
class TiledItems(Protocol):
    """Items that are pieces of pictures in their own resolution."""

    tile_size: int  # pixels


@config
class Degraded:
    """Pictures "x" with a source each, for restoration. A network learns to undo what `by` does.

    by: degradations, one after another; those that make a mask come last.
    """

    medium: Image = Image()
    by: tuple[Degradation, ...] = ()

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.medium.suffixes

    def fit(self, items: Items) -> "DegradedCodec":
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> "tuple[DegradedCodec, list[str]]":
        """`fit`, and what to say of the choices.

        Raises:
            GanvasError: the size does not suit the degradations, or tiles would be enlarged.
        """
        codec, reasons = self.medium.fit_with_reasons(items)
        if isinstance(items, TiledItems) and max(codec.frame_size) > items.tile_size:
            raise GanvasError(
                f"the data gives tiles of {items.tile_size} px, which would be enlarged to {codec.frame_size}: set the size of "
                "the data to that of the medium"
            )
        return DegradedCodec(base=codec, by=self.by), reasons


@config
class DegradedCodec:
    """Stores the pictures alone. Loading makes "source", and "mask" if a degradation makes one.

    Draws come from the batch's generator. Without one, those for a picture follow from its content.
    """

    base: ImageCodec
    by: tuple[Degradation, ...] = ()

    def __post_init__(self) -> None:
        _ = self.source_codecs

    @cached_property
    def source_codecs(self) -> Mapping[str, Codec]:
        """A codec for "source", and for "mask" if there is one. They read files as they are, without degrading them again."""
        blank = torch.zeros(1, *self.base.spec.shape)
        columns = degrade(blank, self.by, seeded_generator("shape"), self._max_level)
        _, channels, height, width = columns["source"].shape
        if min(height, width) < MIN_SIDE:
            raise GanvasError(
                f"sources would be {width}x{height} px, less than {MIN_SIDE}: choose larger pictures or a smaller factor"
            )
        size = PictureSize(width, height).setting
        source = ImageCodec(
            size=size,
            channels=channels,
            framing=self.base.framing,
            background=self.base.background,
            depth=self.base.depth,
        )
        mask = MaskCodec(size=size, framing=self.base.framing)
        return {"source": source, "mask": mask} if "mask" in columns else {"source": source}

    @property
    def _max_level(self) -> int:
        return 2**self.base.depth - 1

    @property
    def spec(self) -> Spec:
        return self.base.spec

    @property
    def medium(self) -> str:
        return self.base.medium

    @property
    def noun(self) -> str:
        return self.base.noun

    @property
    def is_visual(self) -> bool:
        return self.base.is_visual

    @property
    def preview_count(self) -> int:
        return self.base.preview_count

    def protocol(self) -> Mapping[str, str]:
        """With the degradations: scores of sources that were made otherwise do not compare."""
        return {**self.base.protocol(), "degraded by": json.dumps(to_json(self.by), sort_keys=True)}

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        return self.base.encode(item)

    def encode_all(self, array: np.ndarray) -> np.ndarray | None:
        return self.base.encode_all(array)

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        return self.base.load(stored, generator)

    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        x = self.base.load(stored["x"], generator)
        if generator is not None:
            return {"x": x, **degrade(x, self.by, generator, self._max_level)}
        sources = [
            degrade(picture[None], self.by, generator_of_picture, self._max_level)
            for picture, generator_of_picture in zip(x, seed_by_content(stored["x"]), strict=True)
        ]
        return {"x": x, **{name: torch.cat([source[name] for source in sources]) for name in self.source_codecs}}

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        examples = self.load_columns({"x": stored[choose_example_rows(stored)]}, None)
        return {name: build_sample_condition(codec, codec.store(examples[name])) for name, codec in self.source_codecs.items()}

    def store(self, x: Tensor) -> Tensor:
        return self.base.store(x)

    def preview(self, stored: Tensor) -> "Picture":
        return self.base.preview(stored)

    def files(self, stored: Tensor, start: int, metadata: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        return self.base.files(stored, start, metadata)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        return self.base.write(stored, folder, start, metadata)


def seed_by_content(stored: Tensor) -> Iterator[torch.Generator]:
    """A generator for each sample of [N, …], which its content alone decides."""
    for sample in stored.cpu().numpy():
        yield seeded_generator("degraded", hashlib.blake2b(sample.tobytes(), digest_size=16).hexdigest())
