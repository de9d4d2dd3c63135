"""Extractors for samples in parts: one part alone, or a part beside its row."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..configuration import config
from ..core import Codec, Extractor, Features, PlainTableCodec
from ..core.scores import DecodingExtractor, SizedExtractor
from ..errors import GanvasError
from .images import to_eight_bits
from .small import Pixels

PICTURE_AXES = 4  # of stored pictures, [N, H, W, C]
MAX_SIDE = 32  # px: pictures beside rows are shrunk to it


@runtime_checkable
class PartCodecs(Protocol):
    """A codec of samples in parts."""

    @property
    def parts(self) -> Mapping[str, "HasCodec"]: ...
    def split(self, stored: Tensor) -> Mapping[str, Tensor]:
        """Stored samples -> the parts in their own stored form, by name."""
        ...


class HasCodec(Protocol):
    """One part."""

    @property
    def codec(self) -> Codec: ...


@config
class PartOf:
    """Features of one part of each sample, by an extractor for such samples.

    part: "image", "table" or "caption".
    """

    extractor: Extractor = Pixels()
    part: str = "image"
    codec: Codec | None = None  # of the samples; a score card fills it in

    @property
    def word(self) -> str:
        return f"{self.part}-{self.extractor.word}"

    @property
    def media(self) -> tuple[str, ...]:
        return ("together",)

    @property
    def name(self) -> str:
        return f"{self.part} by {self.extractor.name}"

    @property
    def feature_network(self) -> str:
        return getattr(self.extractor, "feature_network", "")

    def fit_to_codec(self, codec: Codec) -> "PartOf":
        """Raises GanvasError for samples without parts, or without this one."""
        part_codec = require_parts(codec, self.name).parts.get(self.part)
        if part_codec is None:
            raise GanvasError(f"{self.name}: these samples have no {self.part}")
        extractor = self.extractor
        if isinstance(extractor, DecodingExtractor):
            extractor = extractor.fit_to_codec(part_codec.codec)
        elif isinstance(extractor, SizedExtractor) and part_codec.codec.spec.shape[1:]:
            extractor = extractor.fit_to_size(max(part_codec.codec.spec.shape[1:]))
        return PartOf(extractor=extractor, part=self.part, codec=codec)

    def __call__(self, stored: Tensor) -> Features:
        return self.extractor(require_parts(self.codec, self.name).split(stored)[self.part])


@config
class PartAndRow:
    """One part's values, then the row's: float64 [N, D + K]. Pictures go from 0 to 1, and have 32 px at most.

    part: "image" or "caption".
    """

    part: str = "image"
    codec: Codec | None = None  # of the samples; a score card fills it in

    @property
    def word(self) -> str:
        return "pairing" if self.part == "image" else f"{self.part}-pairing"

    @property
    def media(self) -> tuple[str, ...]:
        return ("together",)

    @property
    def name(self) -> str:
        return f"{self.part} beside its row"

    def fit_to_codec(self, codec: Codec) -> "PartAndRow":
        return replace(self, codec=codec)

    def __call__(self, stored: Tensor) -> Features:
        codec = require_parts(self.codec, self.name)
        parts, table = codec.split(stored), codec.parts["table"].codec
        assert isinstance(table, PlainTableCodec)
        part = parts[self.part]
        values = shrink_pictures(to_eight_bits(part)) if part.ndim == PICTURE_AXES else part
        rows = table.read_plain_table(parts["table"]).list_features()
        return Features(np.concatenate([values.flatten(1).double().cpu().numpy(), rows], 1))


def find_part_shape(codec: Codec) -> tuple[int, ...]:
    """The shape of one part's values in `PartAndRow`."""
    shape = codec.spec.shape
    return shape if len(shape) == 1 else (min(shape[0], 3), *find_shrunk_sides(*shape[1:]))


def find_shrunk_sides(height: int, width: int) -> tuple[int, int]:
    """The sides of a picture whose longer one is brought to 32 px, if it is longer."""
    share = min(1.0, MAX_SIDE / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def shrink_pictures(stored: Tensor) -> Tensor:
    """uint8 [N, H, W, C] -> float32 [N, C, H', W'] from 0 to 1."""
    x = stored.permute(0, 3, 1, 2).to(torch.float32) / 255
    sides = find_shrunk_sides(*x.shape[2:])
    return x if tuple(x.shape[2:]) == sides else adaptive_avg_pool2d(x, sides)


def require_parts(codec: Codec | None, name: str) -> PartCodecs:
    """The codec as one of samples in parts. Raises GanvasError for any other."""
    if not isinstance(codec, PartCodecs):
        raise GanvasError(f"{name}: samples of this kind have no parts: take another extractor")
    return codec
