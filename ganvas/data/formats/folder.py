"""A folder of files, one per sample. Labels come from its subfolders or from labels.csv."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ...errors import GanvasError
from ..items import ItemList, fingerprint_files, format_count, is_hidden
from ..labels import find_label_table, read_file_labels


def read_folder_items(folder: Path, suffixes: tuple[str, ...]) -> ItemList:
    """All files below the folder that end in one of the suffixes, in the order of their paths, without hidden ones.

    Raises:
        GanvasError: there are none, or this medium's samples are not single files.
    """
    all_files = sorted(_walk_files(folder, "", set()))
    sample_files = [f for f in all_files if f[0].lower().endswith(suffixes)]
    if not sample_files:
        raise build_no_samples_error(str(folder), suffixes, [name for name, _, _ in all_files])
    names = [name for name, _, _ in sample_files]
    paths = [folder / name for name in names]
    table = find_label_table(names, [name for name, _, _ in all_files])
    labels, classes = read_file_labels(names, table, str(folder), lambda name: (folder / name).read_bytes())
    return ItemList(
        names=names,
        read_item=lambda i: paths[i].read_bytes(),
        fingerprint=fingerprint_files(paths, [*sample_files, *(f for f in all_files if f[0] == table)]),
        title=f"{folder.name or folder}/ ({format_count(len(names))})",
        labels=labels,
        classes=classes,
    )


def build_no_samples_error(location: str, suffixes: tuple[str, ...], names: list[str]) -> GanvasError:
    """The error if no file has one of the suffixes: what was looked for, and what is there instead."""
    if not suffixes:
        return GanvasError(
            f"{location} holds single files, but these samples are rows: give one .csv, .npy or .npz file of numbers"
        )
    if not names:
        return GanvasError(f"{location} is empty: put files into it ({' '.join(suffixes)}), or give another path")
    kinds = Counter(Path(name).suffix.lower() or "without a suffix" for name in names).most_common(3)
    present_kinds = ", ".join(f"{count:,} {kind}" for kind, count in kinds)
    return GanvasError(
        f"{location} has no file to learn from: looked for {' '.join(suffixes)}, found {present_kinds}: convert them first"
    )


def _walk_files(folder: Path | str, prefix: str, visited_folders: set[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """(path below the top, size, time) of all files; links are followed, but no folder is entered twice."""
    stats = os.stat(folder)
    if (stats.st_dev, stats.st_ino) in visited_folders:
        return
    visited_folders.add((stats.st_dev, stats.st_ino))
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if is_hidden(entry.name):
                continue
            if entry.is_dir():
                yield from _walk_files(entry.path, f"{prefix}{entry.name}/", visited_folders)
            elif entry.is_file():
                stats = entry.stat()
                yield f"{prefix}{entry.name}", stats.st_size, stats.st_mtime_ns
