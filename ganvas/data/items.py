"""Lists of raw samples, and what is done to any of them: thinning, matching labels, taking fingerprints."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core import Condition
from ..errors import GanvasError
from .labels import Labels, condition, of_values

LEAST = 2  # samples: what a batch, a variance and a critic need at the very least
PEEKED, PEEK = 16, 65536  # a fingerprint reads so many files, and so many bytes of each


@dataclass
class Listed:
    """Samples that `read` gives by index: bytes of a file, or arrays (then all of them may be in `array` too).

    `labels` is int64 [N] and counts into `classes`, or float32 [N, K] with a column's name each in `classes`.
    """

    names: Sequence[str]
    read: Callable[[int], bytes | np.ndarray]
    fingerprint: str
    title: str
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    array: np.ndarray | None = None  # [N, …]

    @property
    def condition(self) -> Condition | None:
        """What the labels ask of a sample; None without labels."""
        return condition(self.labels, self.classes)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> bytes | np.ndarray:
        return self.read(index)


def of_array(array: np.ndarray, labels: np.ndarray | None, name: str, fingerprint: str, title: str) -> Listed:
    """The rows of `array` [N, …] as samples, labelled as `labels.of_values` has it. Raises GanvasError for unfit labels."""
    names = [f"{name}[{i}]" for i in range(len(array))]
    values, classes = Labels() if labels is None else of_values(labels, len(array), name)
    return Listed(names, array.__getitem__, fingerprint, title, values, classes, array)


def thinned(items: Listed, limit: int | None) -> Listed:
    """At most `limit` of the samples, drawn at random but always the same. Raises GanvasError for a limit below LEAST."""
    if limit is None or limit >= len(items):
        return items
    if limit < LEAST:
        raise GanvasError(f"limit must be at least {LEAST}, got {limit}: raise --data.limit or leave it out")
    # not every k-th: where classes take turns, that can be one class only
    kept = np.sort(np.random.default_rng(limit).permutation(len(items))[:limit])
    index: list[int] = kept.tolist()

    def read(i: int) -> bytes | np.ndarray:
        return items.read(index[i])

    return replace(
        items,
        names=[items.names[i] for i in index],
        read=read,
        labels=None if items.labels is None else items.labels[kept],
        array=None if items.array is None else items.array[kept],
        fingerprint=fingerprint(items.fingerprint, limit),
        title=f"{items.title}, {limit:,} of them",
    )


def relabelled(items: Listed, wanted: Condition | None) -> Listed:
    """The same with labels that count into the classes wanted, or with the columns wanted, in their order.

    Raises:
        GanvasError: a class or column that is not among them, a column that is missing, or labels of another kind.
    """
    found = items.condition
    if items.labels is None or found is None or wanted is None or found == wanted:
        return items
    if found.kind != wanted.kind:
        raise GanvasError(f"{items.title} has a {found.kind} for a label, the training data a {wanted.kind}: label both alike")
    what, unknown = "class" if found.kind == "class" else "column", [name for name in found.names if name not in wanted.names]
    if unknown:
        raise GanvasError(f"{items.title} has the {what} {unknown[0]!r}, which the training data has not: rename or remove it")
    if found.kind == "class":
        places = np.array([wanted.names.index(name) for name in found.names], dtype=np.int64)
        return replace(items, labels=places[items.labels], classes=wanted.names)
    missing = [name for name in wanted.names if name not in found.names]
    if missing:
        raise GanvasError(f"{items.title} lacks the column {missing[0]!r}, which the training data has: add it")
    columns = [found.names.index(name) for name in wanted.names]
    return replace(items, labels=items.labels[:, columns], classes=wanted.names)


def hidden(name: str) -> bool:
    """Whether a path names something hidden, or a Mac's shadow of a file."""
    return any((p.startswith(".") and p not in (".", "..")) or p == "__MACOSX" for p in name.split("/"))


def fingerprint(*parts: object) -> str:
    """32 characters that change when any part prints differently."""
    text = "\n".join(repr(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def fingerprint_of_files(paths: Sequence[Path], stamps: Iterable[tuple[str, int, int]]) -> str:
    """From each file's (name, size, time), and from the bytes at the ends of a few files spread over all.

    The bytes tell apart sets unpacked with the same names, sizes and times.
    """
    peeks: list[str] = []
    for path in paths[:: max(1, -(-len(paths) // PEEKED))]:
        with path.open("rb") as file:
            head = file.read(PEEK)
            file.seek(max(0, path.stat().st_size - PEEK))
            peeks.append(hashlib.blake2b(head + file.read(PEEK)).hexdigest())
    return fingerprint(list(stamps), peeks)


def stamp(path: Path) -> tuple[str, int, int]:
    """A file's name, size in bytes and time of change in nanoseconds."""
    facts = path.stat()
    return path.name, facts.st_size, facts.st_mtime_ns


def listed(count: int, what: str = "file") -> str:
    """ "1,204 files" """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
