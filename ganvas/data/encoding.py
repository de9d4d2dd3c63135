"""Items through a codec, in order, a few threads wide; what cannot be read is left out and remembered."""

import os
import sys
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
    total, skipped = len(items), list[Skip]()
    waiting: deque[Future[Chunk]] = deque()
    bar = tqdm(total=total, desc=f"reading {items.title}", unit="", leave=False, disable=True if quiet else None)
    with bar, ThreadPoolExecutor(THREADS) as pool:
        starts = iter(range(0, total, CHUNK))
        while True:
            while len(waiting) < 3 * THREADS and (start := next(starts, None)) is not None:
                waiting.append(pool.submit(_encode, items, codec, range(start, min(start + CHUNK, total))))
            if not waiting:
                return
            chunk = waiting.popleft().result()
            skipped += chunk.skipped
            if len(skipped) > MOST_SKIPPED * total:
                raise _too_many(items, skipped)
            bar.update(len(chunk.rows) + len(chunk.skipped))
            yield chunk


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
