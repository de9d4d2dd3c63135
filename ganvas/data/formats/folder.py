"""A folder of files, one a sample; folders side by side in it are labels, or labels.csv in it has them."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ...errors import GanvasError
from ..items import Listed, fingerprint_of_files, hidden, listed
from ..labels import of_files, table_among


def read(folder: Path, suffixes: tuple[str, ...]) -> Listed:
    """All files below the folder that end in one of the suffixes, in the order of their paths; hidden ones never.

    Raises:
        GanvasError: there are none, or this medium's samples are not single files.
    """
    everything = sorted(_walk(folder, "", set()))
    found = [f for f in everything if f[0].lower().endswith(suffixes)]
    if not found:
        raise nothing_found(str(folder), suffixes, [name for name, _, _ in everything])
    names = [name for name, _, _ in found]
    paths = [folder / name for name in names]
    table = table_among(names, [name for name, _, _ in everything])
    labels, classes = of_files(names, table, str(folder), lambda name: (folder / name).read_bytes())
    return Listed(
        names=names,
        read=lambda i: paths[i].read_bytes(),
        fingerprint=fingerprint_of_files(paths, [*found, *(f for f in everything if f[0] == table)]),
        title=f"{folder.name or folder}/ ({listed(len(names))})",
        labels=labels,
        classes=classes,
    )


def nothing_found(place: str, suffixes: tuple[str, ...], names: list[str]) -> GanvasError:
    """What to say where no file has one of the suffixes: what was looked for and what is there instead."""
    if not suffixes:
        return GanvasError(
            f"{place} holds single files, but these samples are rows: give one .csv, .npy or .npz file of numbers"
        )
    if not names:
        return GanvasError(f"{place} is empty: put files into it ({' '.join(suffixes)}), or give another path")
    kinds = Counter(Path(name).suffix.lower() or "without a suffix" for name in names).most_common(3)
    there = ", ".join(f"{count:,} {kind}" for kind, count in kinds)
    return GanvasError(f"{place} has no file to learn from: looked for {' '.join(suffixes)}, found {there}: convert them first")


def _walk(folder: Path | str, prefix: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """(path below the top, size, time) of all files; links are followed, but no folder is entered twice."""
    facts = os.stat(folder)
    if (facts.st_dev, facts.st_ino) in seen:
        return
    seen.add((facts.st_dev, facts.st_ino))
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if hidden(entry.name):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, f"{prefix}{entry.name}/", seen)
            elif entry.is_file():
                facts = entry.stat()
                yield f"{prefix}{entry.name}", facts.st_size, facts.st_mtime_ns
