"""The files of a place, a folder or an archive, as samples: which of them, and with what labels."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ..errors import GanvasError
from .items import ItemList, format_count
from .label_sources import choose_labels, find_tables

Stamp = tuple[str, int, int]


class ListedFile(NamedTuple):
    """A file by its name from the top of the place, its parts parted by "/"."""

    name: str
    stamp: Stamp  # the name as it is there, the size in bytes, and a time or a checksum
    read: Callable[[], bytes]  # raises GanvasError or OSError


class FileListing(NamedTuple):
    """All files of a place, in the order of their names."""

    location: str  # for messages
    title: str  # "photos/"
    files: Sequence[ListedFile]
    take_fingerprint: Callable[[Sequence[ListedFile], Sequence[ListedFile]], str]  # of samples, and of what goes with them


def build_listed_items(listing: FileListing, suffixes: tuple[str, ...]) -> ItemList:
    """The files that end in one of the suffixes, labelled by a table or by their folders.

    Raises:
        GanvasError: there are none, or a table that does not fit them.
    """
    samples = [file for file in listing.files if file.name.lower().endswith(suffixes)]
    names, all_names = [file.name for file in samples], [file.name for file in listing.files]
    if not samples:
        raise build_no_samples_error(listing.location, suffixes, all_names)
    files_by_name = {file.name: file for file in listing.files}
    choice = choose_labels(names, (), find_tables(all_names), listing.location, lambda name: files_by_name[name].read())
    return ItemList(
        names=names,
        read_item=lambda i: samples[i].read(),
        fingerprint=listing.take_fingerprint(samples, [f for f in listing.files if f.name == choice.table]),
        title=f"{listing.title} ({format_count(len(names))})",
        labels=choice.labels.values,
        classes=choice.labels.classes,
        notes=choice.notes,
    )


def build_no_samples_error(location: str, suffixes: tuple[str, ...], names: list[str]) -> GanvasError:
    """What to say where no file has one of the suffixes: what was looked for and what is there instead."""
    if not suffixes:
        return GanvasError(
            f"{location} holds single files, but these samples are rows: give one .csv, .npy or .npz file of numbers"
        )
    if not names:
        return GanvasError(f"{location} is empty: put files into it ({' '.join(suffixes)}), or give another path")
    kinds = Counter(PurePosixPath(name).suffix.lower() or "without a suffix" for name in names).most_common(3)
    present_kinds = ", ".join(f"{count:,} {kind}" for kind, count in kinds)
    return GanvasError(
        f"{location} has no file to learn from: looked for {' '.join(suffixes)}, found {present_kinds}: convert them first"
    )
