"""A folder of files, one per sample. Labels come from its subfolders or from a table in it."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ...system.signatures import SIGNATURE_BYTES
from ..items import fingerprint_files
from ..listing import FileListing, ListedFile, Stamp
from ..names import format_count, is_hidden, list_examples, normalise_name


def list_folder(folder: Path) -> FileListing:
    """All files below the folder, in the order of their paths, without hidden ones.

    Entries that cannot be read are left out and named. Raises OSError for the folder itself.
    """
    faults: list[str] = []
    files = [
        ListedFile(
            normalise_name(stamp[0]), stamp, partial(_read_file, folder, stamp[0]), partial(_read_head, folder, stamp[0])
        )
        for stamp in _walk_files(folder, "", set(), faults)
    ]
    files.sort(key=lambda file: file.name)

    def take_fingerprint(samples: Sequence[ListedFile], others: Sequence[ListedFile]) -> str:
        paths = [folder / sample.stamp[0] for sample in samples]
        return fingerprint_files(paths, [file.stamp for file in (*samples, *others)])

    note = f"{format_count(len(faults), 'entry', 'entries')} left out: {list_examples(faults)}"
    return FileListing(str(folder), f"{folder.name or folder}/", files, take_fingerprint, notes=(note,) if faults else ())


def _read_file(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _read_head(folder: Path, name: str) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            return file.read(SIGNATURE_BYTES)
    except OSError:
        return b""


def _walk_files(folder: Path | str, prefix: str, visited_folders: set[tuple[int, int]], faults: list[str]) -> Iterator[Stamp]:
    """(path below the top, size, time) of all files; links are followed, but no folder is entered twice.

    What cannot be read below the top is added to `faults`.
    """
    stats = os.stat(folder)
    if (stats.st_dev, stats.st_ino) in visited_folders:
        return
    visited_folders.add((stats.st_dev, stats.st_ino))
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if is_hidden(entry.name):
                continue
            name = f"{prefix}{entry.name}"
            try:
                if entry.is_dir():
                    yield from _walk_files(entry.path, f"{name}/", visited_folders, faults)
                elif entry.is_file():
                    stats = entry.stat()
                    yield name, stats.st_size, stats.st_mtime_ns
                else:
                    faults.append(f"{name} ({'a link to nothing' if entry.is_symlink() else 'no file'})")
            except OSError as error:
                faults.append(f"{name} ({error.strerror or error})")
