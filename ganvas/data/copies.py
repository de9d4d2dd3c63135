"""Exact copies among samples in stored form, and samples with the same caption, recognised by digests."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

PEEKED_BYTES = 4096  # of each sample, from its middle: only samples that agree in these are read whole


def find_first_copies(stored: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each of the `rows` [M] of `stored` [N, …] the first of them with exactly the same content, int64 [M]."""
    keys = _digest_all([stored[row] for row in rows], [_peek(stored[row]) for row in rows])
    first_rows: dict[bytes, int] = {}
    return np.array([first_rows.setdefault(key, int(row)) for row, key in zip(rows, keys, strict=True)], np.int64)


def find_equal_captions(stored: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A number for each caption of the `rows` [M] of `stored` uint8 [N, K, B]: int64 [M, K], the same for equal captions.

    A caption's bytes begin with its text. One that begins with 0 is no caption: its number is -1.
    """
    places = [(m, k) for m, row in enumerate(rows) for k in range(stored.shape[1]) if stored[row, k, 0]]
    captions = [stored[rows[m], k] for m, k in places]
    keys = _digest_all(captions, [caption[:PEEKED_BYTES] for caption in captions])
    numbers, known = np.full((len(rows), stored.shape[1]), -1, np.int64), dict[bytes, int]()
    for (m, k), key in zip(places, keys, strict=True):
        numbers[m, k] = known.setdefault(key, len(known))
    return numbers


def join_groups(groups: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Groups int64 [N] joined where samples share a member, of `members` int64 [N, K]; -1 is none. Int64 [N], from 0."""
    parents = list(range(int(groups.max(initial=-1)) + 1))

    def find_root(group: int) -> int:
        while parents[group] != group:
            parents[group] = parents[parents[group]]
            group = parents[group]
        return group

    first_groups = dict[int, int]()
    for group, sample_members in zip(groups.tolist(), members.tolist(), strict=True):
        for member in sample_members:
            if member >= 0:
                parents[find_root(group)] = find_root(first_groups.setdefault(member, group))
    return np.unique([find_root(group) for group in groups.tolist()], return_inverse=True)[1].astype(np.int64)


def _digest_all(values: Sequence[np.ndarray], peeks: Sequence[np.ndarray]) -> list[bytes]:
    """A digest of each value: of all of it where another one has the same peek, otherwise of the peek alone."""
    keys = [_digest(peek) for peek in peeks]
    counts = Counter(keys)
    return [
        _digest(value) if counts[key] > 1 and value.nbytes > peek.nbytes else key
        for value, peek, key in zip(values, peeks, keys, strict=True)
    ]


def _peek(sample: np.ndarray) -> np.ndarray:
    """Some values from the middle of a sample; all of a small one."""
    values = sample.reshape(-1)
    start = max(0, (len(values) - PEEKED_BYTES // values.itemsize) // 2)
    return values[start : start + PEEKED_BYTES // values.itemsize]


def _digest(values: np.ndarray) -> bytes:
    return hashlib.blake2b(values.tobytes(), digest_size=16).digest()
