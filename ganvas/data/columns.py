"""Samples with several columns. Each column has its own medium, and each item holds a part for each column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..configuration import config
from ..core import Batch, Codec, DerivingCodec, Items, JointCodec, Medium, Spec
from ..errors import GanvasError
from .items import ItemList, fingerprint_parts
from .rows import count_rows, take_rows
from .unpaired import UnpairedItems

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

LOADED_ROWS = 256  # samples at a time


@runtime_checkable
class ExplainingMedium(Protocol):
    """A medium that says what it chose for the data, and why."""

    def fit_with_reasons(self, items: Items) -> tuple[Codec, list[str]]:
        """`Medium.fit`, and sentences about its choices."""
        ...


@runtime_checkable
class SizedMedium(Protocol):
    """A medium of pictures, or of maps of them, that are brought to one size."""

    @property
    def size(self) -> int | str | None: ...  # pixels: a square's side, or "WIDTHxHEIGHT"; None: chosen from the data


@runtime_checkable
class JitteredMedium(Protocol):
    """A medium of pictures, or of maps of them, that training changes at random."""

    @property
    def flip(self) -> bool: ...  # mirror left and right

    @property
    def enlarge(self) -> float: ...  # by this factor, and take a random part of the usual size


@runtime_checkable
class ScaledItems(Protocol):
    """Items whose "x" is `scale` times as large as the other columns: a whole number, or one over it."""

    scale: float


@runtime_checkable
class StackedItems(Protocol):
    """Items whose "source" is a stack of several pictures."""

    source_names: tuple[str, ...]  # in the order of the stack; none of a lone picture


@config
class Columns:
    """A medium made of several: {"x": Image(), "source": Image(channels=1)}. Items are mappings with the same names.

    Pictures without a `size` take that of "x". Of pairs that differ by a factor, small pictures stay so many times smaller.
    """

    media: Mapping[str, Medium]

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.media["x"].suffixes

    def fit(self, items: Items) -> "ColumnsCodec":
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> "tuple[ColumnsCodec, list[str]]":
        """`fit`, and a sentence on what each column chose."""
        if not isinstance(items, UnpairedItems):
            check_jitter(self.media)
        scale = items.scale if isinstance(items, ScaledItems) else 1.0
        x_codec, x_reasons = _fit_target(self.media["x"], select_column(items, "x"), max(1, round(scale)))
        codecs, reasons = {"x": x_codec}, {"x": x_reasons}
        for name, medium in self.media.items():
            if name != "x":
                fitting_medium, size_reasons = _follow_size(medium, x_codec, scale)
                codec, other_reasons = fit_medium(fitting_medium, select_column(items, name))
                codecs[name], reasons[name] = codec, [*size_reasons, *other_reasons]
        sentences = [f"{name}: {reason}" for name in self.media for reason in reasons[name]]
        codec = ColumnsCodec(columns={name: codecs[name] for name in self.media}, source_names=list_source_names(items))
        return codec, sentences


def check_jitter(media: Mapping[str, Medium]) -> None:
    """Raises GanvasError if training would mirror or cut a picture otherwise than its partner."""
    jittered = {name: medium for name, medium in media.items() if isinstance(medium, JitteredMedium)}
    for setting in ("flip", "enlarge"):
        values = {name: getattr(medium, setting) for name, medium in jittered.items()}
        if len(set(values.values())) > 1:
            words = " and ".join(f"{value} for {name}" for name, value in values.items())
            raise GanvasError(f"{setting} is {words}, so pairs would no longer fit: set the same for all columns")


def fit_medium(medium: Medium, items: Items) -> tuple[Codec, list[str]]:
    """A codec for the items, and what the medium says of its choices."""
    return medium.fit_with_reasons(items) if isinstance(medium, ExplainingMedium) else (medium.fit(items), list[str]())


def _fit_target(medium: Medium, items: Items, factor: int) -> tuple[Codec, list[str]]:
    """A codec for "x". A size that it chooses can be divided by `factor`."""
    codec, reasons = fit_medium(medium, items)
    sides = codec.spec.shape[1:]
    if not isinstance(medium, SizedMedium) or medium.size is not None or not any(side % factor for side in sides):
        return codec, reasons
    size = _format_size([max(factor, side // factor * factor) for side in sides])
    codec, _ = fit_medium(_set_size(medium, size), items)
    return codec, [*reasons, f"they are cut to {size}, which can be divided by {factor}"]


def _follow_size(medium: Medium, x_codec: Codec, scale: float) -> tuple[Medium, list[str]]:
    """A medium whose size is open, with the size of "x", or so many times less of it; and a sentence about it."""
    sides = x_codec.spec.shape[1:]
    if not isinstance(medium, SizedMedium) or medium.size is not None or len(sides) != 2:
        return medium, []
    size, reason = _format_size(sides), "the size of x"
    if scale > 1:
        size, reason = _format_size([side // round(scale) for side in sides]), f"{scale:g} times smaller than x"
    elif scale < 1:
        reason += f"; the files are {1 / scale:g} times larger, and shrunk"
    return _set_size(medium, size), [f"pictures become {size} (width x height), {reason}"]


def _format_size(sides: Sequence[int]) -> str:
    """(height, width) as "WIDTHxHEIGHT"."""
    return f"{sides[1]}x{sides[0]}"


def _set_size(medium: Medium, size: str) -> Medium:
    return replace(cast(Any, medium), size=size)


@config
class ColumnsCodec:
    """A codec for each column. Column "x" decides how to store, preview and write samples.

    All columns load with the same random draws, so a picture is mirrored together with the one that it is made of.
    """

    columns: Mapping[str, Codec]
    source_names: tuple[str, ...] = ()  # of several sources that are stacked into "source", three channels each

    @property
    def column_codecs(self) -> Mapping[str, Codec]:
        return self.columns

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


def list_source_names(stacked: object) -> tuple[str, ...]:
    """The names of the sources that items, or a codec, stack into one; none if there is one source at most."""
    return stacked.source_names if isinstance(stacked, StackedItems) else ()


def check_source_names(items: Items, codec: Codec) -> None:
    """Raises GanvasError for items whose sources are others than the codec's, or stand in another order."""
    if "source" not in list_column_codecs(codec):
        return
    expected_names, names = (list_source_names(stacked) or ("source",) for stacked in (codec, items))
    if names != expected_names:
        raise GanvasError(
            f"{items.title} has the sources {' + '.join(names)}, and the run was trained with {' + '.join(expected_names)}: "
            "give a table with these columns in this order"
        )


def list_column_codecs(codec: Codec) -> Mapping[str, Codec]:
    """A codec for each stored column; for a plain codec, only "x"."""
    if isinstance(codec, JointCodec):
        return codec.column_codecs
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
