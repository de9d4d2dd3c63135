"""Encoded samples in memory, on a device or mapped from disk, and batches that are pure functions of a seed."""

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..core import (
    Batch,
    BatchSampler,
    Codec,
    Condition,
    ConditionCodec,
    DerivingCodec,
    Items,
    JointCodec,
    Medium,
    SeriesItems,
    ShapedCondition,
    Source,
    Spec,
    WindowCodec,
)
from ..errors import GanvasError, MissingLabelsError
from ..system.files import find_cache_folder
from .attributes import Attribute, AttributedItems
from .cache import load_or_encode
from .columns import check_source_names, fit_medium, list_column_codecs, load_batch, select_column
from .encoding import NotedItems, SkippedItem, encode_items, print_notes, print_skipped_items
from .held_out import HELD_OUT_KEY, HeldOut
from .items import fingerprint_parts
from .labels import derive_condition
from .rows import (
    SelectedRows,
    UnpairedColumns,
    count_bytes,
    count_rows,
    find_other_rows,
    join_sides,
    list_sides,
    move_columns,
    select_rows,
    take_rows,
)
from .samplers import Uniform
from .unpaired import UnpairedItems

MAX_SEPARATE_REASONS = 3
MAX_UNCACHED_BYTES = 2**30  # may be held in memory if there is no cache to map


@runtime_checkable
class BulkItems(Protocol):
    """Items that are the rows of `array`, unless that is None."""

    array: np.ndarray | None


@runtime_checkable
class BulkCodec(Protocol):
    """A codec that can encode many items at once."""

    def encode_all(self, array: np.ndarray) -> np.ndarray | None:
        """`encode` for all of [N, …] at once; None if each has to be looked at."""
        ...


@runtime_checkable
class HasExamples(ShapedCondition, Protocol):
    """A condition that draws from some samples of the data, evenly spaced."""

    @property
    def examples(self) -> Sequence[object]: ...


@dataclass
class EncodedDataset:
    """A data set (core.Dataset). Column "x" [N, …] is in the codec's stored form."""

    codec: Codec
    columns: Mapping[str, Tensor]
    conditions: Mapping[str, Condition] = field(default_factory=dict[str, Condition])
    title: str = ""
    fingerprint: str = ""  # of the items
    skipped_count: int = 0  # items that could not be read
    sampler: BatchSampler = field(default_factory=Uniform)
    label_notes: tuple[str, ...] = ()  # where labels come from, or why there are none
    held_out_count: int = 0  # samples that were held out of it
    is_taken_from_training: bool = False  # it was held out of the training samples; it is no test part
    attributes: tuple[Attribute, ...] = ()  # of column "attributes", int64 [N, A], which scores know and networks do not see

    @property
    def spec(self) -> Spec:
        """The shape of a sample, and its conditions."""
        return self.codec.spec._replace(conditions={**self.codec.spec.conditions, **self.conditions})

    @property
    def byte_count(self) -> int:
        """The size of all columns."""
        return count_bytes(self.columns)

    def __len__(self) -> int:
        return count_rows(self.columns)

    def copy_to_device(self, device: torch.device | str) -> Self:
        """The data set on a device."""
        return replace(self, columns=move_columns(self.columns, device))

    def batch(self, seed: int, size: int) -> Batch:
        """Rows drawn by the sampler on the CPU, so that every device gets the same; then loaded by the codec."""
        generator = torch.Generator().manual_seed(seed)
        rows = self.sampler.draw_rows(self, size, generator)
        return load_batch(self.codec, take_rows(self.columns, rows, generator), generator)

    def hold_out(self, setting: HeldOut, key: str) -> "tuple[EncodedDataset, EncodedDataset | None]":
        """(the samples to train on, the held-out samples or None). Both look into this set's columns, without a copy.

        Args:
            key: decides which samples are held out, by their order in the data.
        """
        sides = list_sides(self.columns)
        rows = {name: setting.choose_rows(replace(self, columns=side), key) for name, side in sides.items()}
        if not all(map(len, rows.values())):
            return self, None
        other_rows = {name: find_other_rows(rows[name], count_rows(side)) for name, side in sides.items()}
        counts = list(map(len, rows.values()))
        held_out = replace(
            self,
            columns=join_sides({name: select_rows(side, rows[name]) for name, side in sides.items()}),
            title=f"{self.title}, {' and '.join(f'{count:,}' for count in counts)} held out of training",
            fingerprint=fingerprint_parts(self.fingerprint, "held out", key, *counts),
            is_taken_from_training=True,
        )
        training_columns = join_sides({name: select_rows(side, other_rows[name]) for name, side in sides.items()})
        return replace(self, columns=training_columns, held_out_count=len(rows["x"])), held_out


def prepare_dataset(
    items: Items, codec: Codec, cache: Path | None, quiet: bool = False, sampler: BatchSampler | None = None
) -> EncodedDataset:
    """Encode the items once: next time they come from the cache (a folder; None keeps nothing).

    Unreadable items are left out and named on stderr. `quiet` prints nothing.

    Raises:
        GanvasError: more than 5% of the items cannot be read, they fit neither into the cache nor into memory, or they have
            other sources than the codec.
    """
    check_source_names(items, codec)
    codecs = list_column_codecs(codec)
    if isinstance(items, UnpairedItems):
        return _prepare_sides(items, codec, cache, quiet, sampler)
    if isinstance(items, SeriesItems) and isinstance(codec, WindowCodec):
        windows, rows = codec.encode_windows(items)
        columns = SelectedRows({"x": torch.from_numpy(windows)}, torch.from_numpy(rows))
        return EncodedDataset(codec, columns, {}, items.title, items.fingerprint, sampler=sampler or Uniform())
    encoded = {
        name: _encode_column(select_column(items, name) if isinstance(codec, JointCodec) else items, column_codec, cache, quiet)
        for name, column_codec in codecs.items()
    }
    skipped = {name: {item.position for item in column_skipped} for name, (_, column_skipped) in encoded.items()}
    all_skipped = sorted(set[int]().union(*skipped.values()))
    columns = {name: _drop_rows(rows, skipped[name], all_skipped) for name, (rows, _) in encoded.items()}
    conditions = _derive_conditions(codecs, columns)
    if isinstance(codec, DerivingCodec):
        conditions |= codec.derive_conditions(columns["x"])
    if items.labels is not None:
        columns["label"] = torch.as_tensor(np.delete(items.labels, all_skipped, axis=0))
        label = derive_condition(columns["label"], items.classes)
        conditions |= {"label": label} if label is not None else {}
    attributed = items if isinstance(items, AttributedItems) else None
    if attributed is not None and attributed.attribute_values is not None:
        columns["attributes"] = torch.as_tensor(np.delete(attributed.attribute_values, all_skipped, axis=0))
    return EncodedDataset(
        codec,
        columns,
        conditions,
        items.title,
        items.fingerprint,
        len(all_skipped),
        Uniform() if sampler is None else sampler,
        items.label_notes if isinstance(items, NotedItems) else (),
        attributes=attributed.attributes if attributed is not None else (),
    )


def _prepare_sides(
    items: UnpairedItems, codec: Codec, cache: Path | None, quiet: bool, sampler: BatchSampler | None
) -> EncodedDataset:
    """Sides without pairs, each encoded as a data set of its own."""
    codecs = list_column_codecs(codec)
    sides = {name: prepare_dataset(side, codecs[name], cache, quiet) for name, side in items.sides.items()}
    conditions = _derive_conditions(codecs, {name: side.columns["x"] for name, side in sides.items()})
    return replace(
        sides["x"],
        codec=codec,
        columns=UnpairedColumns({name: side.columns for name, side in sides.items()}),
        conditions={**sides["x"].conditions, **conditions},
        title=items.title,
        fingerprint=items.fingerprint,
        skipped_count=sum(side.skipped_count for side in sides.values()),
        sampler=Uniform() if sampler is None else sampler,
    )


def _derive_conditions(codecs: Mapping[str, Codec], columns: Mapping[str, Tensor]) -> dict[str, Condition]:
    """The conditions that stored columns other than "x" hold the values of. Those with examples keep the same rows."""
    condition_codecs = {name: codec for name, codec in codecs.items() if name != "x" and isinstance(codec, ConditionCodec)}
    conditions = {name: codec.derive_condition(columns[name]) for name, codec in condition_codecs.items()}
    counts = {name: len(condition.examples) for name, condition in conditions.items() if isinstance(condition, HasExamples)}
    for name, count in counts.items():
        if count > min(counts.values()) and len({len(columns[other]) for other in counts}) == 1:
            rows = torch.linspace(0, len(columns[name]) - 1, min(counts.values())).long()
            conditions[name] = condition_codecs[name].derive_condition(columns[name][rows])
    return conditions


def _drop_rows(rows: np.ndarray, dropped: set[int], all_dropped: list[int]) -> Tensor:
    """A column without the rows that other columns skipped; its own skipped rows are missing already."""
    if len(dropped) < len(all_dropped):
        positions = [k for k in range(len(rows) + len(dropped)) if k not in dropped]
        rows = np.asarray(rows[~np.isin(positions, all_dropped)])
    if not rows.flags.writeable:  # torch needs a writable array
        rows = rows.copy()
    return torch.as_tensor(rows)


def _encode_column(items: Items, codec: Codec, cache: Path | None, quiet: bool) -> tuple[np.ndarray, list[SkippedItem]]:
    """One column of all items in stored form, and the items that could not be read."""
    rows = _encode_at_once(items, codec)
    if rows is not None:
        return rows, []
    try:
        stored, skipped = (
            _encode_in_memory(items, codec, quiet) if cache is None else load_or_encode(items, codec, cache, quiet)
        )
    except OSError as error:
        reason = f"the cache {cache} cannot be written ({error.strerror or error})"
        if not quiet:
            print(f"ganvas: {reason}: keeping the data in memory; name another folder in GANVAS_CACHE", file=sys.stderr)
        stored, skipped = _encode_in_memory(items, codec, quiet, reason)
    if not quiet:
        print_skipped_items(skipped, items.title)
    return stored, skipped


def _encode_at_once(items: Items, codec: Codec) -> np.ndarray | None:
    """If nothing has to be decoded: a view of the array, or a quick copy, too cheap for a cache. Otherwise None."""
    if isinstance(items, BulkItems) and isinstance(codec, BulkCodec) and items.array is not None:
        return codec.encode_all(items.array)
    return None


def _encode_in_memory(
    items: Items, codec: Codec, quiet: bool, uncached_reason: str = ""
) -> tuple[np.ndarray, list[SkippedItem]]:
    """Encode in memory; if that is because the cache failed, up to a limit."""
    stored, count = np.empty(0), 0
    skipped: list[SkippedItem] = []
    for rows, left_out in encode_items(items, codec, quiet):
        skipped += left_out
        if len(rows) and not count:
            needed_bytes = rows[0].nbytes * len(items)
            if uncached_reason and needed_bytes > MAX_UNCACHED_BYTES:
                raise GanvasError(
                    f"{uncached_reason}, and {needed_bytes / 2**30:.1f} GB are too much for memory: set GANVAS_CACHE to "
                    "a free disk"
                )
            stored = np.empty((len(items), *rows.shape[1:]), rows.dtype)
        if len(rows):
            stored[count : count + len(rows)] = rows
            count += len(rows)
    return stored[:count], skipped


@contextmanager
def explain_missing_labels(data: EncodedDataset) -> Generator[None]:
    """Where networks need labels and the data has none: add the reason to the error."""
    try:
        yield
    except MissingLabelsError as error:
        reasons = "; ".join(data.label_notes)
        raise GanvasError(f"{error}. This data: {reasons}" if reasons else str(error)) from None


def print_reasons(title: str, reasons: Sequence[str]) -> None:
    """Print on stderr what is to be said of data: a line each, or a list under its title if there is much to say."""
    is_list = len(reasons) > MAX_SEPARATE_REASONS
    head, prefix = (f"ganvas: {title}:\n", "  ") if is_list else ("", f"ganvas: {title}: ")
    print(head + "".join(f"{prefix}{reason}\n" for reason in reasons), end="", file=sys.stderr)


def open_data(
    source: Source,
    medium: Medium,
    codec: Codec | None = None,
    is_quiet: bool = False,
    sampler: BatchSampler | None = None,
    held_out: HeldOut | None = None,
    held_out_key: str = HELD_OUT_KEY,
) -> tuple[Codec, EncodedDataset, EncodedDataset | None]:
    """(codec, training set, held-out set or None). The held-out set is the test part, if the data has one.

    Args:
        codec: stores the samples; None fits one to the data.
        held_out: how many samples to hold out of training if there is no test part; None is none.
        held_out_key: decides which ones. A resumed run keeps its own.
    """
    items = source.items(medium.suffixes)
    reasons: list[str] = []
    if codec is None:
        codec, reasons = fit_medium(medium, items)
    test_items = source.held_out(medium.suffixes)
    if not is_quiet:
        print_notes(items, test_items)
        print_reasons(items.title, reasons)
    cache = find_cache_folder()
    training_set = prepare_dataset(items, codec, cache, is_quiet, sampler)
    if test_items is not None:
        test_set = prepare_dataset(test_items, codec, cache, is_quiet)
        if isinstance(test_items, SeriesItems):  # the end of time is another season, and so no floor for scores
            test_set = replace(test_set, is_taken_from_training=True)
            training_set = replace(training_set, held_out_count=len(test_set))
        return codec, training_set, test_set
    if held_out is None:
        return codec, training_set, None
    return codec, *training_set.hold_out(held_out, held_out_key)
