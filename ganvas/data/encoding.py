"""Items through a codec, in order, a few threads wide; what cannot be read is left out and remembered."""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..core import Codec, Items
from ..errors import GanvasError

THREADS = min(4, os.cpu_count() or 1)
CHUNK = 64  # items a task
SLOW = 0.001  # seconds an item from which threads help
MOST_SKIPPED = 0.05  # of all


class Skip(NamedTuple):
    """An item that could not be read."""

    place: int  # among the items
    name: str
    reason: str


class Chunk(NamedTuple):
    """Some items in stored form, [n, …] ([0] if none could be read), and those left out between them."""

    rows: np.ndarray
    skipped: list[Skip]


def encoded(items: Items, codec: Codec, quiet: bool) -> Iterator[Chunk]:
    """All items, chunk by chunk; a progress bar on stderr unless quiet.

    Raises:
        GanvasError: as soon as more than 5% of all cannot be read.
    """
    skipped: list[Skip] = []
    with tqdm(total=len(items), desc=f"reading {items.title}", unit="", leave=False, disable=True if quiet else None) as bar:
        for chunk in _chunks(items, codec):
            skipped += chunk.skipped
            if len(skipped) > MOST_SKIPPED * len(items):
                raise _too_many(items, skipped)
            bar.update(len(chunk.rows) + len(chunk.skipped))
            yield chunk


def _chunks(items: Items, codec: Codec) -> Iterator[Chunk]:
    """The first chunk says whether threads pay: on 28 px images, two are 1.6 times slower than none (a fight for the lock)."""
    total = len(items)
    tasks = iter([range(start, min(start + CHUNK, total)) for start in range(0, total, CHUNK)])
    began, first = time.perf_counter(), next(tasks, range(0))
    chunk = _encode(items, codec, first)
    slow = time.perf_counter() - began >= SLOW * len(first)
    yield chunk
    if not slow:
        yield from (_encode(items, codec, task) for task in tasks)
        return
    waiting: deque[Future[Chunk]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for task in tasks:
            waiting.append(pool.submit(_encode, items, codec, task))
            if len(waiting) > 2 * THREADS:  # no more than is soon written, or all would lie in memory
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _encode(items: Items, codec: Codec, indices: range) -> Chunk:
    rows: list[np.ndarray] = []
    skipped: list[Skip] = []
    for i in indices:
        try:
            rows.append(codec.encode(items[i]))
        except GanvasError as error:
            skipped.append(Skip(i, items.names[i], str(error)))
        except OSError as error:
            skipped.append(Skip(i, items.names[i], f"cannot be read ({error.strerror or error})"))
    return Chunk(np.stack(rows) if rows else np.empty(0), skipped)


def _too_many(items: Items, skipped: list[Skip]) -> GanvasError:
    first = "; ".join(f"{s.name} {s.reason}" for s in skipped[:3])
    return GanvasError(
        f"more than {MOST_SKIPPED:.0%} of {items.title} cannot be read: {first}: repair or remove them, then try again"
    )


def tell(skipped: list[Skip], title: str) -> None:
    """Name on stderr what was left out: the first five, and how many."""
    if not skipped:
        return
    lines = [f"ganvas: {len(skipped):,} of {title} left out:"] + [f"  {s.name} {s.reason}" for s in skipped[:5]]
    rest = [f"  and {len(skipped) - 5:,} more"] if len(skipped) > 5 else []
    print("\n".join(lines + rest), file=sys.stderr)
