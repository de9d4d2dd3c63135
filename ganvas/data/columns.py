"""Samples with several columns. Each column has its own medium, and each item holds a part for each column."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..configuration import config
from ..core import Batch, Codec, DerivingCodec, Items, JointCodec, Medium, Spec
from .items import ItemList, fingerprint_parts
from .rows import count_rows, take_rows
from .unpaired import UnpairedItems

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

LOADED_ROWS = 256  # samples at a time


@config
class Columns:
    """A medium made of several: {"x": Image(), "source": Image(channels=1)}. Items are mappings with the same names."""

    media: Mapping[str, Medium]

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.media["x"].suffixes

    def fit(self, items: Items) -> "ColumnsCodec":
        return ColumnsCodec(columns={name: medium.fit(select_column(items, name)) for name, medium in self.media.items()})


@config
class ColumnsCodec:
    """A codec for each column. Column "x" decides how to store, preview and write samples.

    All columns load with the same random draws, so a picture is mirrored together with the one that it is made of.
    """

    columns: Mapping[str, Codec]

    @property
    def spec(self) -> Spec:
        return self.columns["x"].spec

    @property
    def medium(self) -> str:
        return self.columns["x"].medium

    @property
    def noun(self) -> str:
        return self.columns["x"].noun

    @property
    def is_visual(self) -> bool:
        return self.columns["x"].is_visual

    def protocol(self) -> Mapping[str, str]:
        return self.columns["x"].protocol()

    @property
    def preview_count(self) -> int:
        return self.columns["x"].preview_count

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        return self.columns["x"].encode(item)

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        return self.columns["x"].load(stored, generator)

    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        if generator is None:
            return {name: codec.load(stored[name], None) for name, codec in self.columns.items()}
        seed = int(torch.randint(2**62, (), generator=generator))
        return {name: codec.load(stored[name], torch.Generator().manual_seed(seed)) for name, codec in self.columns.items()}

    def store(self, x: Tensor) -> Tensor:
        return self.columns["x"].store(x)

    def preview(self, stored: Tensor) -> "Picture":
        return self.columns["x"].preview(stored)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        return self.columns["x"].write(stored, folder, start, metadata)


def list_column_codecs(codec: Codec) -> Mapping[str, Codec]:
    """A codec for each stored column; for a plain codec, only "x"."""
    if isinstance(codec, JointCodec):
        return codec.columns
    return {"x": codec.base if isinstance(codec, DerivingCodec) else codec}


def select_column(items: Items, name: str) -> ItemList:
    """The items reduced to one column; of sides without pairs, one side."""
    if isinstance(items, UnpairedItems):
        return items.sides[name]
    return ItemList(
        items.names, lambda index: items[index][name], fingerprint_parts(items.fingerprint, name), f"{items.title} ({name})"
    )


def load_batch(codec: Codec, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
    """Stored columns -> network inputs. Columns without a codec, such as labels, stay as they are."""
    if isinstance(codec, (JointCodec, DerivingCodec)):
        joint = {name: stored[name] for name in list_column_codecs(codec)}
        return {**stored, **codec.load_columns(joint, generator)}
    return {**stored, "x": codec.load(stored["x"], generator)}


def load_conditions(codec: Codec, stored: Mapping[str, Tensor], names: Iterable[str]) -> Batch:
    """The condition columns [N, …] as network inputs; those that are made from "x", a few samples at a time."""
    codecs, names = list_column_codecs(codec), list(names)
    conditions = {
        name: codecs[name].load(stored[name], None) if name in codecs else stored[name] for name in names if name in stored
    }
    missing_names = [name for name in names if name not in stored]
    if missing_names and isinstance(codec, DerivingCodec):
        rows = torch.arange(count_rows(stored)).split(LOADED_ROWS)
        chunks = [codec.load_columns(take_rows(stored, chunk_rows), None) for chunk_rows in rows]
        conditions |= {name: torch.cat([chunk[name] for chunk in chunks]) for name in missing_names if name in chunks[0]}
    return conditions
