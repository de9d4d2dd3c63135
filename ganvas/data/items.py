"""Lists of raw samples, and what applies to all of them: limits, matching labels, fingerprints."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core import Condition
from ..errors import GanvasError, require
from ..system.files import repair_text
from .attributes import Attribute
from .labels import SampleLabels, derive_condition, parse_label_values

MIN_DATASET_SAMPLES = 2  # a batch, a variance and a critic need at least two
PEEKED_FILES, PEEK_BYTES = 16, 65536  # a fingerprint reads some files, and some bytes at both ends of each


@dataclass
class ItemList:
    """Samples that `read_item` returns by index: bytes of a file, or arrays (then `array` may hold all of them).

    `labels` is int64 [N], indices into `classes`; or float32 [N, K], with the names of its columns in `classes`.
    """

    names: Sequence[str]
    read_item: Callable[[int], bytes | np.ndarray]
    fingerprint: str
    title: str
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    array: np.ndarray | None = None  # [N, …]
    notes: tuple[str, ...] = ()  # what is to be said of how they were read
    label_notes: tuple[str, ...] = ()  # and of where their labels come from, or why there are none
    attributes: tuple[Attribute, ...] = ()  # what else is known of them; networks do not see it
    attribute_values: np.ndarray | None = None  # int64 [N, A], indices into the values of each attribute

    def __post_init__(self) -> None:
        self.title, self.classes = repair_text(self.title), tuple(map(repair_text, self.classes))
        self.notes, self.label_notes = tuple(map(repair_text, self.notes)), tuple(map(repair_text, self.label_notes))

    @property
    def condition(self) -> Condition | None:
        """The condition that the labels define; None without labels."""
        return derive_condition(self.labels, self.classes)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> bytes | np.ndarray:
        return self.read_item(index)


def build_array_items(array: np.ndarray, labels: np.ndarray | None, name: str, fingerprint: str, title: str) -> ItemList:
    """The rows of `array` [N, …] as samples, labelled by `parse_label_values`. Raises GanvasError for invalid labels."""
    names = [f"{name}[{i}]" for i in range(len(array))]
    values, classes = SampleLabels() if labels is None else parse_label_values(labels, len(array), name)
    return ItemList(names, array.__getitem__, fingerprint, title, values, classes, array)


def limit_items(items: ItemList, limit: int | None) -> ItemList:
    """At most `limit` samples: random, but always the same. Raises SettingError for a limit below MIN_DATASET_SAMPLES."""
    if limit is None or limit >= len(items):
        return items
    require(limit >= MIN_DATASET_SAMPLES, "limit", limit, f"{MIN_DATASET_SAMPLES} or more")
    # not every k-th: if classes alternate, that can be one class only
    indices = np.sort(np.random.default_rng(limit).permutation(len(items))[:limit])
    index_list: list[int] = indices.tolist()

    def read_by_index(i: int) -> bytes | np.ndarray:
        return items.read_item(index_list[i])

    return replace(
        items,
        names=[items.names[i] for i in index_list],
        read_item=read_by_index,
        labels=None if items.labels is None else items.labels[indices],
        array=None if items.array is None else items.array[indices],
        attribute_values=None if items.attribute_values is None else items.attribute_values[indices],
        fingerprint=fingerprint_parts(items.fingerprint, limit),
        title=f"{items.title}, {limit:,} of them",
    )


def match_labels(items: ItemList, target: Condition | None) -> ItemList:
    """The items with labels that are indices into the target's classes, or with the target's columns in their order.

    Raises:
        GanvasError: an unknown class or column, a missing column, or labels of another kind.
    """
    current = items.condition
    if items.labels is None or current is None or target is None or current == target:
        return items
    if current.kind != target.kind:
        raise GanvasError(
            f"{items.title} is labelled by a {current.kind}, the training data by a {target.kind}: label both alike"
        )
    noun, unknown = (
        "class" if current.kind == "class" else "column",
        [name for name in current.names if name not in target.names],
    )
    if unknown:
        raise GanvasError(f"{items.title} has the {noun} {unknown[0]!r}, which the training data lacks: rename or remove it")
    if current.kind == "class":
        class_numbers = np.array(_match_names(current.names, target.names), dtype=np.int64)
        return replace(items, labels=class_numbers[items.labels], classes=target.names)
    missing = [name for name in target.names if name not in current.names]
    if missing:
        raise GanvasError(f"{items.title} lacks the column {missing[0]!r}, which the training data has: add it")
    columns = [current.names.index(name) for name in target.names]
    return replace(items, labels=items.labels[:, columns], classes=target.names)


def _match_names(names: Sequence[str], target_names: Sequence[str]) -> list[int]:
    """The index of each name among the targets. Equal names are matched in their order."""
    places: dict[str, list[int]] = {}
    for k, name in enumerate(target_names):
        places.setdefault(name, []).append(k)
    seen_counts: Counter[str] = Counter()
    matched_places: list[int] = []
    for name in names:
        matched_places.append(places[name][min(seen_counts[name], len(places[name]) - 1)])
        seen_counts[name] += 1
    return matched_places


def fingerprint_parts(*parts: object) -> str:
    """32 characters that change when any part prints differently."""
    text = "\n".join(repr(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def fingerprint_files(paths: Sequence[Path], stamps: Iterable[tuple[str, int, int]]) -> str:
    """A fingerprint of each file's (name, size, time), and of the bytes at both ends of a few files.

    The bytes distinguish data sets whose files have the same names, sizes and times.
    """
    peeks = [_peek_into_file(path) for path in paths[:: max(1, -(-len(paths) // PEEKED_FILES))]]
    return fingerprint_parts(list(stamps), peeks)


def _peek_into_file(path: Path) -> str:
    """A checksum of the bytes at both ends of a file; "" if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(PEEK_BYTES)
            file.seek(max(0, path.stat().st_size - PEEK_BYTES))
            return hashlib.blake2b(head + file.read(PEEK_BYTES)).hexdigest()
    except OSError:  # it is left out where it is read
        return ""


def read_file_stamp(path: Path) -> tuple[str, int, int]:
    """A file's name, size in bytes and time of change in nanoseconds."""
    stats = path.stat()
    return path.name, stats.st_size, stats.st_mtime_ns
