"""How samples in parts are stored (uint8 [N, B], a row of bytes), fed to networks (float32 [N, F]), shown and written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ...configuration import config
from ...core import Batch, Codec, Condition, Field, Spec
from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..image.codec import ImageCodec
from ..table import TableCodec
from ..table.chance import draw_cell_places, hash_rows
from ..table.writing import write_numbered_rows
from .known import KNOWN, KnownParts
from .sentences import SentenceCodec
from .sheet import draw_described_pictures

IMAGE, TABLE, CAPTION = "image", "table", "caption"
TABLE_NAME = "attributes.csv"
PREVIEW_SAMPLES = 36


class StoredPart(NamedTuple):
    """One part of a sample, and where it lies."""

    codec: Codec
    shape: tuple[int, ...]  # of a stored sample
    dtype: torch.dtype  # of its stored values
    place: slice  # in x
    bytes: slice  # in the stored row


@config
class TogetherCodec:
    """A picture, the columns of a table that describe it, and its caption. A sample is a mapping: "image", "hair", "caption".

    In x the picture's numbers come first, then the row's, then the sentence's. Parts may be missing.
    """

    image: ImageCodec | None = None
    table: TableCodec | None = None
    caption: SentenceCodec | None = None
    known_share: float = 0.3  # of the samples of a batch: in those some columns are known, so that G learns to add the others

    def __post_init__(self) -> None:
        if self.image is None and self.table is None and self.caption is None:
            raise GanvasError("a sample needs a picture, a row or a caption: correct codec.json")

    @property
    def medium(self) -> str:
        return "together"

    @property
    def noun(self) -> str:
        return "samples"

    @property
    def is_visual(self) -> bool:
        return self.image is not None

    @property
    def preview_count(self) -> int:
        return PREVIEW_SAMPLES if self.image is not None else 2000

    def protocol(self) -> Mapping[str, str]:
        return {name: text for part in self.parts.values() for name, text in part.codec.protocol().items()}

    @property
    def base(self) -> "TogetherCodec":
        return self

    @cached_property
    def parts(self) -> dict[str, StoredPart]:
        """The parts in the order of x, by name."""
        kinds = [(IMAGE, self.image, self.image.stored_shape, torch.uint8)] if self.image is not None else []
        kinds += [(TABLE, self.table, (len(self.table.columns),), torch.uint16)] if self.table is not None else []
        kinds += [(CAPTION, self.caption, self.caption.spec.shape, torch.float16)] if self.caption is not None else []
        parts, start, first_byte = dict[str, StoredPart](), 0, 0
        for name, codec, shape, dtype in kinds:
            size, byte_count = prod(codec.spec.shape), prod(shape) * dtype.itemsize
            place, places_of_bytes = slice(start, start + size), slice(first_byte, first_byte + byte_count)
            parts[name] = StoredPart(codec, shape, dtype, place, places_of_bytes)
            start, first_byte = start + size, first_byte + byte_count
        return parts

    @property
    def whole_parts(self) -> dict[str, Codec]:
        """The codecs of parts that are one column each."""
        return {name: part.codec for name, part in self.parts.items() if name != TABLE}

    @property
    def places(self) -> dict[str, slice]:
        """Where in x each part lies."""
        return {name: part.place for name, part in self.parts.items()}

    @cached_property
    def columns(self) -> dict[str, tuple[Field, ...]]:
        """The fields of x by column."""
        fields = dict[str, tuple[Field, ...]]()
        for name, part in self.parts.items():
            if isinstance(part.codec, TableCodec):
                fields |= {column.name: column.fields for column in part.codec.columns if column.fields}
            else:
                shape = part.codec.spec.shape
                fields[name] = (Field(name, prod(shape), "continuous", shape=shape),)
        return fields

    @property
    def column_names(self) -> Sequence[str]:
        """Of all columns that are learnt, in the order of x."""
        return tuple(self.columns)

    @property
    def spec(self) -> Spec:
        return self._spec

    @cached_property
    def _spec(self) -> Spec:
        fields = tuple(field for fields in self.columns.values() for field in fields)
        has_condition = self.known_share > 0 and len(self.columns) > 1
        conditions: dict[str, Condition] = {KNOWN: KnownParts(self)} if has_condition else {}
        return Spec((sum(field.size for field in fields),), fields, conditions)

    @cached_property
    def columns_of_x(self) -> Tensor:
        """The number of the column that each place in x belongs to, int64 [F]."""
        sizes = torch.tensor([sum(field.size for field in fields) for fields in self.columns.values()])
        return torch.repeat_interleave(torch.arange(len(sizes)), sizes)

    # ------------------------------------------------------------ from an item to x, and back

    def encode(self, item: Any) -> np.ndarray:
        """A mapping by column as uint8 [B]. Raises GanvasError for anything else, and for a column that it lacks."""
        if not isinstance(item, Mapping):
            raise GanvasError("is no sample with columns: give pictures with their classes or attributes")
        encoded = [self._encode_part(name, part, item) for name, part in self.parts.items()]
        return np.concatenate([np.ascontiguousarray(part).reshape(-1).view(np.uint8) for part in encoded])

    def _encode_part(self, name: str, part: StoredPart, item: Mapping[str, Any]) -> np.ndarray:
        if isinstance(part.codec, TableCodec):
            return part.codec.encode(item) if part.codec.rules else self._encode_row(part.codec, item)
        if name not in item:
            raise GanvasError(f"has no {name}, which the training data has: add it")
        return part.codec.encode(item[name])

    def _encode_row(self, table: TableCodec, item: Mapping[str, Any]) -> np.ndarray:
        """`table.encode`, which looks at each value of a column once: Arrow takes a millisecond for one."""
        codes = np.empty(len(table.columns), np.uint16)
        for k, column in enumerate(table.columns):
            value = item.get(column.name)
            if (column.name, value) not in self._known_codes:
                lone = replace(table, columns=(column,), target="")
                self._known_codes[column.name, value] = int(lone.encode({column.name: value})[0])
            codes[k] = self._known_codes[column.name, value]
        return codes

    @cached_property
    def _known_codes(self) -> dict[tuple[str, Any], int]:
        return {}

    def split(self, stored: Tensor) -> dict[str, Tensor]:
        """Stored [N, B] -> the parts in their own stored form, [N, …] each."""
        return {
            name: stored[:, part.bytes].contiguous().view(part.dtype).unflatten(1, part.shape)
            for name, part in self.parts.items()
        }

    def join(self, parts: Mapping[str, Tensor]) -> Tensor:
        """What `split` splits."""
        return torch.cat([parts[name].contiguous().flatten(1).view(torch.uint8) for name in self.parts], 1)

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint8 [N, B] -> float32 [N, F]. All parts begin with the same random numbers, one a sample."""
        state = None if generator is None else generator.get_state()
        x = [
            self.parts[name].codec.load(part, None if state is None else torch.Generator().set_state(state)).flatten(1)
            for name, part in self.split(stored).items()
        ]
        if generator is not None:
            torch.rand(len(stored), generator=generator)
        return torch.cat(x, 1)

    def store(self, x: Tensor) -> Tensor:
        """float [N, F] -> uint8 [N, B] on the CPU: pictures rounded, of each one-hot the largest."""
        return self.join(
            {name: part.codec.store(x[:, part.place].unflatten(1, part.codec.spec.shape)) for name, part in self.parts.items()}
        )

    # ------------------------------------------------------------ what is known

    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        """Also "known": of a share of the samples, columns at random; without a generator, nothing."""
        x = self.load(stored["x"], generator)
        if KNOWN not in self.spec.conditions:
            return {"x": x}
        is_known = torch.zeros(len(x), len(self.columns), dtype=torch.bool)
        if generator is not None:
            is_known = self._draw_known_columns(len(x), generator)
        marks = is_known[:, self.columns_of_x].to(x)
        return {"x": x, KNOWN: torch.stack([x * marks, marks], 1)}

    def _draw_known_columns(self, n: int, generator: torch.Generator) -> Tensor:
        """Which columns are known, bool [n, C]: none, or at random from one to all but one of them."""
        numbers, count = (torch.rand(n, generator=generator) * 2**24).long(), len(self.columns)
        has_known, share, *places = draw_cell_places(hash_rows(numbers), 2 + count).unbind(1)
        order = torch.stack(places, 1).argsort(1).argsort(1)
        return (order < 1 + (share * (count - 1)).long()[:, None]) & (has_known < self.known_share)[:, None]

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        return {}  # the spec has it already

    # ------------------------------------------------------------ for people

    def decode(self, stored: Tensor, seed: int = 0, start: int = 0) -> Any:
        """The columns besides the picture, of stored [N, B]: a pyarrow.Table. Captions are the nearest real ones."""
        parts, arrow = self.split(stored), import_arrow()
        table = self.table.decode(parts[TABLE], seed, start) if self.table is not None else arrow.table({})
        if self.caption is not None:
            table = table.append_column(CAPTION, arrow.array(self.caption.read_texts(parts[CAPTION]), arrow.string()))
        return table

    def describe_samples(self, stored: Tensor) -> list[str]:
        """What each sample's columns say, in a line each."""
        rows = self.decode(stored).to_pylist() or [{}] * len(stored)
        return ["\n".join(str(value) for value in row.values() if value is not None) for row in rows]

    def preview(self, stored: Tensor) -> Picture:
        """The pictures, with their words below them; without pictures, the first part."""
        parts = self.split(stored)
        if self.image is None:
            name = next(iter(self.parts))
            return self.parts[name].codec.preview(parts[name])
        return draw_described_pictures(self.image, parts[IMAGE], self.describe_samples(stored))

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write pictures as files of their own, and the other columns to attributes.csv, at its end if `start` > 0."""
        parts = self.split(stored)
        paths = self.image.write(parts[IMAGE], folder, start, metadata) if self.image is not None else []
        if self.table is None and self.caption is None:
            return paths
        table = self.decode(stored, start=start)
        if paths:
            table = table.add_column(0, "file_name", [[path.name for path in paths]])
        return [*paths, *write_numbered_rows(table, folder, start, metadata, TABLE_NAME)]
