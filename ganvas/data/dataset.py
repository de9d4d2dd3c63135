"""Encoded samples in memory, on a device or mapped from disk, and batches that are pure functions of a seed."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ..core import Batch, Codec, Condition, Items, Medium, Source, Spec
from ..errors import GanvasError, MissingLabelsError
from ..system.files import find_cache_folder
from .cache import load_or_encode
from .encoding import NotedItems, SkippedItem, encode_items, print_notes, print_skipped_items
from .labels import derive_condition

MAX_UNCACHED_BYTES = 2**30  # bytes that may be held in memory where there is no cache to map them from


@runtime_checkable
class BulkItems(Protocol):
    """Items that are the rows of an array; None if they are not, after all."""

    array: np.ndarray | None


@runtime_checkable
class BulkCodec(Protocol):
    """A codec that can encode many items at once."""

    def encode_all(self, array: np.ndarray) -> np.ndarray | None:
        """What `encode` makes of each of [N, …]; None where that takes a look at each."""
        ...


@dataclass
class EncodedDataset:
    """A data set (core.Dataset): `stored` [N, …] as the codec has it.

    `labels` is int64 [N] and counts into `classes`, or float32 [N, K] with a column's name each in `classes`.
    """

    codec: Codec
    stored: Tensor
    labels: Tensor | None = None
    classes: tuple[str, ...] = ()
    title: str = ""
    fingerprint: str = ""  # of the items
    skipped_count: int = 0  # items that could not be read
    label_notes: tuple[str, ...] = ()  # where labels come from, or why there are none

    @property
    def condition(self) -> Condition | None:
        """What the labels ask of a sample; None without labels."""
        return derive_condition(self.labels, self.classes)

    @property
    def spec(self) -> Spec:
        """What one sample looks like, and what it may be asked to be."""
        condition = self.condition
        return self.codec.spec._replace(conditions={"label": condition} if condition is not None else {})

    def __len__(self) -> int:
        return len(self.stored)

    def copy_to_device(self, device: torch.device | str) -> Self:
        """The same on a device."""
        labels = None if self.labels is None else self.labels.to(device)
        return replace(self, stored=self.stored.to(device), labels=labels)

    def batch(self, seed: int, size: int) -> Batch:
        """Samples "x" and, if there are any, their "label", drawn with replacement on the CPU: the same on every device."""
        generator = torch.Generator().manual_seed(seed)
        index = torch.randint(len(self), (size,), generator=generator).to(self.stored.device)
        batch = {"x": self.codec.load(self.stored[index], generator)}
        return batch if self.labels is None else batch | {"label": self.labels[index]}


def prepare_dataset(items: Items, codec: Codec, cache: Path | None, quiet: bool = False) -> EncodedDataset:
    """The items encoded, once: the next time they come from the cache (a folder; None keeps nothing).

    Unreadable items are left out and named on stderr; quiet says nothing and shows no progress.

    Raises:
        GanvasError: more than 5% of the items cannot be read, or they fit neither into the cache nor into memory.
    """
    rows = _encode_at_once(items, codec)
    if rows is not None:
        return _build_dataset(items, codec, rows, [])
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
    return _build_dataset(items, codec, stored, skipped)


def _encode_at_once(items: Items, codec: Codec) -> np.ndarray | None:
    """Where nothing has to be decoded: a view of the array, or a quick copy, too cheap to keep in a cache."""
    if isinstance(items, BulkItems) and isinstance(codec, BulkCodec) and items.array is not None:
        return codec.encode_all(items.array)
    return None


def _encode_in_memory(
    items: Items, codec: Codec, quiet: bool, uncached_reason: str = ""
) -> tuple[np.ndarray, list[SkippedItem]]:
    """Encoded in memory; where that is for want of a cache, up to a bound."""
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


def _build_dataset(items: Items, codec: Codec, stored: np.ndarray, skipped: list[SkippedItem]) -> EncodedDataset:
    if not stored.flags.writeable:  # torch takes no array that it may not write
        stored = stored.copy()
    labels = None
    if items.labels is not None:
        labels = torch.as_tensor(np.delete(items.labels, [s.position for s in skipped], axis=0))
    data = EncodedDataset(codec, torch.as_tensor(stored), labels, items.classes, items.title, items.fingerprint, len(skipped))
    return replace(data, label_notes=items.label_notes) if isinstance(items, NotedItems) else data


@contextmanager
def explain_missing_labels(data: EncodedDataset) -> Generator[None]:
    """Add why the data has no labels to a refusal for want of them."""
    try:
        yield
    except MissingLabelsError as error:
        reasons = "; ".join(data.label_notes)
        raise GanvasError(f"{error}. This data: {reasons}" if reasons else str(error)) from None


def open_data(
    source: Source, medium: Medium, codec: Codec | None = None, is_quiet: bool = False
) -> tuple[Codec, EncodedDataset, EncodedDataset | None]:
    """(codec, training set, held-out set or None); the codec is fitted to the data unless given."""
    items = source.items(medium.suffixes)
    codec = codec or medium.fit(items)
    held_out = source.held_out(medium.suffixes)
    if not is_quiet:
        print_notes(items, held_out)
    training_set = prepare_dataset(items, codec, find_cache_folder(), is_quiet)
    return (
        codec,
        training_set,
        prepare_dataset(held_out, codec, find_cache_folder(), is_quiet) if held_out is not None else None,
    )
