"""The files of a folder or an archive as samples: which files are samples, and what their labels are."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ..errors import GanvasError
from ..system.signatures import guess_suffix
from .items import ItemList
from .label_sources import TABLE_NAMES, SampleNames, choose_labels, find_tables
from .names import format_count, list_examples
from .parts import HELD_OUT_PARTS, PlacedFile, choose_held_out_part, place_files

Stamp = tuple[str, int, int]

USUAL_SUFFIX_PATTERN = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}")  # does not match "frame.0001" and "photo.jpg?size=200"
CLUTTER_PREFIXES = ("readme", "license", "licence", "copying", "notice", "thumbs.db", "desktop.ini")  # files that nobody misses
TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")  # files that may hold labels
SET_SUFFIXES = (".parquet", ".zip", ".tar", ".tar.gz", ".tgz", ".npz", ".npy", ".csv")  # files that are whole data sets
MAX_LISTED_KINDS = 4


class ListedFile(NamedTuple):
    """A file. Its name is its path below the top, separated by "/"."""

    name: str
    stamp: Stamp  # the original name, the size in bytes, and a time or a checksum
    read: Callable[[], bytes]  # raises GanvasError or OSError
    read_head: Callable[[], bytes]  # the first bytes; empty if they cannot be read


class FileListing(NamedTuple):
    """All files of a folder or an archive, in the order of their names."""

    location: str  # for messages
    title: str  # "photos/"
    files: Sequence[ListedFile]
    take_fingerprint: Callable[[Sequence[ListedFile], Sequence[ListedFile]], str]  # of samples and their tables
    is_archive: bool = False
    notes: tuple[str, ...] = ()  # about entries that cannot be read


def build_listed_items(listing: FileListing, suffixes: tuple[str, ...], split: str) -> ItemList | None:
    """The files with one of the suffixes, labelled by a table or by their folders. None if the split is missing.

    Args:
        split: "train", or "test" for the part to hold out. A set without parts is all "train".

    Raises:
        GanvasError: no file has one of the suffixes, or a table does not fit the files.
    """
    samples = [file for file in listing.files if is_sample(file, suffixes)]
    names, all_names = [file.name for file in samples], [file.name for file in listing.files]
    if not samples:
        raise build_no_samples_error(listing, suffixes)
    chosen_part = choose_part(names, split)
    if chosen_part is None:
        return None
    files_by_name = {file.name: file for file in listing.files}
    choice = choose_labels(
        chosen_part.names, chosen_part.list_tables(all_names), listing.location, lambda name: files_by_name[name].read()
    )
    other_names = set(all_names) - set(names) - set(find_tables(all_names))
    samples = [samples[k] for i, k in enumerate(chosen_part.indices) if i not in choice.left_out]
    return ItemList(
        names=[sample.name for sample in samples],
        read_item=lambda i: samples[i].read(),
        fingerprint=listing.take_fingerprint(samples, [f for f in listing.files if f.name == choice.table]),
        title=f"{chosen_part.name_in(listing.title)} ({format_count(len(samples))})",
        labels=choice.labels.values,
        classes=choice.labels.classes,
        notes=(*listing.notes, *describe_passed_over(other_names, suffixes), *chosen_part.notes),
        label_notes=choice.notes,
    )


class ChosenPart(NamedTuple):
    """The samples of one part of a set."""

    indices: Sequence[int]
    names: SampleNames
    part: str | None = None  # None: the set has no parts
    notes: tuple[str, ...] = ()

    def name_in(self, title: str) -> str:
        """ "pets/" as "pets/train/" """
        return title if self.part is None else f"{title.rstrip('/')}/{self.part}/"

    def list_tables(self, all_names: Sequence[str]) -> list[str]:
        """The tables of labels among all files, without those in the folders of other parts."""
        tables = find_tables(all_names)
        if self.part is None:
            return tables
        own_folders = {name[: name.rfind("/") + 1] for name in self.names.names}
        return [t for t in tables if any(folder.startswith(t[: t.rfind("/") + 1]) for folder in own_folders)]


def choose_part(names: Sequence[str], split: str) -> ChosenPart | None:
    """The files to train on, or to hold out ("test"). None if there is nothing to hold out."""
    placed_files = place_files(names)
    if placed_files is None:
        return ChosenPart(range(len(names)), SampleNames(names, (), names)) if split == "train" else None
    sizes = Counter(file.part for file in placed_files)
    held_out_part = choose_held_out_part({part: count for part, count in sizes.items() if part})
    part = "train" if split == "train" else held_out_part
    if part is None:
        return None
    indices = [i for i, file in enumerate(placed_files) if file.part == part]
    other_names = [names[i] for i, file in enumerate(placed_files) if file.part != part]
    own_names = SampleNames([names[i] for i in indices], other_names, [placed_files[i].class_path for i in indices])
    return ChosenPart(indices, own_names, part, _describe_parts(names, placed_files, held_out_part))


def _describe_parts(names: Sequence[str], placed_files: Sequence[PlacedFile], held_out_part: str | None) -> tuple[str, ...]:
    sizes = Counter(file.part for file in placed_files)
    held_out = f", {sizes[held_out_part]:,} of {held_out_part} to score against" if held_out_part else ""
    notes = [f"it lies in parts: {format_count(sizes['train'])} of train to learn from{held_out}"]
    notes += [
        f"its part {part} ({format_count(sizes[part])}) is not used"
        for part in HELD_OUT_PARTS
        if sizes[part] and part != held_out_part
    ]
    outside_names = [name for name, file in zip(names, placed_files, strict=True) if file.part is None]
    if outside_names:
        notes.append(f"{format_count(len(outside_names))} in none of its parts left out: {list_examples(outside_names)}")
    return tuple(notes)


def is_sample(file: ListedFile, suffixes: tuple[str, ...]) -> bool:
    """Whether a file has one of the suffixes. Without any suffix, its first bytes decide."""
    if file.name.lower().endswith(suffixes):
        return True
    has_suffix = USUAL_SUFFIX_PATTERN.fullmatch(PurePosixPath(file.name).suffix)
    return bool(suffixes) and not has_suffix and guess_suffix(file.read_head()) in suffixes


def describe_passed_over(names: Collection[str], suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """A note about files that are not samples, except those that most folders have."""
    passed_over = [name for name in names if not PurePosixPath(name).name.lower().startswith(CLUTTER_PREFIXES)]
    if not passed_over:
        return ()
    note = f"{format_count(len(passed_over))} passed over: {count_kinds(passed_over)}; samples are {' '.join(suffixes)}"
    is_any_table = any(PurePosixPath(name).suffix.lower() in TABLE_SUFFIXES for name in passed_over)
    return (f"{note}; labels are read from {', '.join(TABLE_NAMES)}" if is_any_table else note,)


def count_kinds(names: Collection[str]) -> str:
    """ "40 .gif, 40 .heic, 3 of other kinds" """
    kinds = Counter(PurePosixPath(name).suffix.lower() or "without a suffix" for name in names)
    listed_kinds = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))[:MAX_LISTED_KINDS]
    rest = len(names) - sum(count for _, count in listed_kinds)
    return ", ".join([f"{count:,} {kind}" for kind, count in listed_kinds] + ([f"{rest:,} of other kinds"] if rest else []))


def build_no_samples_error(listing: FileListing, suffixes: tuple[str, ...]) -> GanvasError:
    """The error if no file has one of the suffixes: what was looked for, what is there, and what to do."""
    location, names = listing.location, [file.name for file in listing.files]
    readable_name = next((name for name in names if name.lower().endswith(SET_SUFFIXES)), None)
    remedy = f"unpack it and give {readable_name}" if listing.is_archive else f"give {location}/{readable_name} itself"
    if not suffixes:
        remedy = remedy if readable_name else "give one .csv, .npy or .npz file of numbers"
        return GanvasError(f"{location} holds single files, but these samples are rows: {remedy}")
    if not names:
        state = f"has nothing that can be read ({'; '.join(listing.notes)})" if listing.notes else "is empty"
        return GanvasError(f"{location} {state}: put files into it ({' '.join(suffixes)}), or give another path")
    if not readable_name:
        are_bare = not any(PurePosixPath(name).suffix for name in names)
        remedy = "they do not begin like any of these; rename them if they are samples" if are_bare else "convert them first"
    return GanvasError(
        f"{location} has no file to learn from: looked for {' '.join(suffixes)}, found {count_kinds(names)}: {remedy}"
    )
