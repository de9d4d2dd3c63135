"""Encode items in order, by a few threads. Items that cannot be read are left out and recorded."""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from tqdm import tqdm

from ..core import BlockCodec, BlockItems, Codec, Items
from ..errors import GanvasError

ENCODING_THREADS = min(4, os.cpu_count() or 1)
ITEMS_PER_CHUNK = 64  # items per task
SLOW_ITEM_SECONDS = 0.001  # seconds per item, from which threads help
MAX_SKIPPED_SHARE = 0.05  # of all items


@runtime_checkable
class NotedItems(Protocol):
    """Items with notes: which files were passed over, and where labels come from or why there are none."""

    notes: tuple[str, ...]
    label_notes: tuple[str, ...]


class SkippedItem(NamedTuple):
    """An item that could not be read."""

    position: int  # among the items
    name: str
    reason: str


class EncodedChunk(NamedTuple):
    """Some items in stored form, [n, …] ([0] if none could be read), and those left out."""

    rows: np.ndarray
    skipped_items: list[SkippedItem]


def encode_items(items: Items, codec: Codec, quiet: bool) -> Iterator[EncodedChunk]:
    """All items, chunk by chunk; a progress bar on stderr unless quiet.

    Raises:
        GanvasError: as soon as more than 5% of all cannot be read.
    """
    skipped: list[SkippedItem] = []
    with tqdm(total=len(items), desc=f"reading {items.title}", unit="", leave=False, disable=True if quiet else None) as bar:
        for chunk in _encode_chunks(items, codec):
            skipped += chunk.skipped_items
            if len(skipped) > MAX_SKIPPED_SHARE * len(items):
                raise _build_skip_error(items, skipped)
            bar.update(len(chunk.rows) + len(chunk.skipped_items))
            yield chunk


def _encode_chunks(items: Items, codec: Codec) -> Iterator[EncodedChunk]:
    """Items that come in blocks are encoded block by block.

    Of others, the first chunk shows whether threads help. On 28 px images, two are 1.6 times slower: they share a lock.
    """
    if isinstance(items, BlockItems) and isinstance(codec, BlockCodec):
        yield from _encode_blocks(items, codec, items.title)
        return
    total = len(items)
    tasks = iter([range(start, min(start + ITEMS_PER_CHUNK, total)) for start in range(0, total, ITEMS_PER_CHUNK)])
    start_time, first_task = time.perf_counter(), next(tasks, range(0))
    chunk = _encode_chunk(items, codec, first_task)
    is_slow = time.perf_counter() - start_time >= SLOW_ITEM_SECONDS * len(first_task)
    yield chunk
    if not is_slow:
        yield from (_encode_chunk(items, codec, task) for task in tasks)
        return
    pending: deque[Future[EncodedChunk]] = deque()
    with ThreadPoolExecutor(ENCODING_THREADS) as pool:
        for task in tasks:
            pending.append(pool.submit(_encode_chunk, items, codec, task))
            if len(pending) > 2 * ENCODING_THREADS:  # few at a time, or everything would lie in memory
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _encode_blocks(items: BlockItems, codec: BlockCodec, title: str) -> Iterator[EncodedChunk]:
    for block in items.read_blocks():
        try:
            yield EncodedChunk(codec.encode_block(block), [])
        except GanvasError as error:
            raise GanvasError(f"{title}: {error}") from error


def _encode_chunk(items: Items, codec: Codec, indices: range) -> EncodedChunk:
    rows: list[np.ndarray] = []
    skipped: list[SkippedItem] = []
    for i in indices:
        try:
            rows.append(codec.encode(items[i]))
        except GanvasError as error:
            skipped.append(SkippedItem(i, items.names[i], str(error)))
        except OSError as error:
            skipped.append(SkippedItem(i, items.names[i], f"cannot be read ({error.strerror or error})"))
    return EncodedChunk(np.stack(rows) if rows else np.empty(0), skipped)


def _build_skip_error(items: Items, skipped: list[SkippedItem]) -> GanvasError:
    examples = "; ".join(f"{s.name} {s.reason}" for s in skipped[:3])
    return GanvasError(
        f"more than {MAX_SKIPPED_SHARE:.0%} of {items.title} cannot be read: {examples}: repair or remove them, then try again"
    )


def print_notes(*item_lists: Items | None) -> None:
    """Print the notes of items on stderr, each once."""
    printed_notes: set[str] = set()
    for items in filter(None, item_lists):
        for note in (*items.notes, *items.label_notes) if isinstance(items, NotedItems) else ():
            if note not in printed_notes:
                print(f"ganvas: {items.title}: {note}", file=sys.stderr)
            printed_notes.add(note)


def print_skipped_items(skipped: list[SkippedItem], title: str) -> None:
    """Name the items left out on stderr: the first five, and how many more."""
    if not skipped:
        return
    lines = [f"ganvas: {len(skipped):,} of {title} left out:"] + [f"  {s.name} {s.reason}" for s in skipped[:5]]
    ellipsis_line = [f"  and {len(skipped) - 5:,} more"] if len(skipped) > 5 else []
    print("\n".join(lines + ellipsis_line), file=sys.stderr)
