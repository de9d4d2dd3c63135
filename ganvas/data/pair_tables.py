"""Tables of pairs: a line for each pair, with the path of the source and that of what it becomes."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import GanvasError
from .formats.archive import list_archive
from .formats.folder import list_folder
from .listing import FileListing, ListedFile
from .names import format_count, list_examples, normalise_name

PAIR_TABLE_NAME = "pairs.csv"
PAIR_COLUMNS = ("source", "target")
MAX_PAIR_TABLE_BYTES = 256 * 2**20


class PairTable(NamedTuple):
    """The pairs that a table names: (source, target) each."""

    name: str
    listing: FileListing
    pairs: Sequence[tuple[ListedFile, ListedFile]]


def find_pair_table(path: str) -> PairTable | None:
    """The table at `path`, or pairs.csv at the top of the folder or zip at `path`; None if there is none.

    Paths in a table are relative to it. The first line may name the columns: source,target.

    Raises:
        GanvasError: the table cannot be read, has other columns, or names files that are not there.
    """
    location = Path(path).expanduser()
    if location.suffix.lower() == ".csv" and location.is_file():
        return _read_pair_table(list_folder(location.parent), location.name)
    if location.is_dir():
        return _read_pair_table(list_folder(location), PAIR_TABLE_NAME) if (location / PAIR_TABLE_NAME).is_file() else None
    if location.suffix.lower() == ".zip" and location.is_file():
        listing = list_archive(location)
        return _read_pair_table(listing, PAIR_TABLE_NAME) if PAIR_TABLE_NAME in {file.name for file in listing.files} else None
    return None


def has_pair_columns(data: bytes) -> bool:
    """Whether a table's first line names the columns of pairs."""
    first_line = data[:1000].decode("utf-8-sig", "replace").partition("\n")[0]
    return tuple(cell.strip().strip('"').lower() for cell in first_line.split(",")) == PAIR_COLUMNS


def _read_pair_table(listing: FileListing, name: str) -> PairTable:
    files = {file.name: file for file in listing.files}
    rows = _parse_pairs(files[name].read(), name)
    missing_names = [path for row in rows for path in row if path not in files]
    if missing_names:
        raise GanvasError(
            f"{name} names {format_count(len(missing_names))} that {listing.title} lacks ({list_examples(missing_names)}): "
            "write paths relative to the table"
        )
    return PairTable(name, listing, _list_pairs(rows, files))


def _list_pairs(rows: Sequence[tuple[str, str]], files: Mapping[str, ListedFile]) -> list[tuple[ListedFile, ListedFile]]:
    return [(files[source], files[target]) for source, target in rows]


def _parse_pairs(data: bytes, name: str) -> list[tuple[str, str]]:
    """(source, target) of each line. Raises GanvasError for anything but two paths a line."""
    if len(data) > MAX_PAIR_TABLE_BYTES:
        raise GanvasError(f"{name} is larger than {MAX_PAIR_TABLE_BYTES // 2**20} MB: refused")
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        rows = [tuple(normalise_name(cell.strip()) for cell in row) for row in lines if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise GanvasError(f"{name} cannot be read ({error}): save it as comma-separated values in UTF-8") from None
    if rows and tuple(cell.lower() for cell in rows[0]) == PAIR_COLUMNS:
        rows = rows[1:]
    pairs: list[tuple[str, str]] = []
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not all(row):
            raise GanvasError(
                f"{name} has {','.join(row)!r} for pair {number}: a line holds two paths, a source and what it becomes"
            )
        pairs.append((row[0], row[1]))
    if not pairs:
        raise GanvasError(f"{name} names no pairs: write a line for each, such as sketches/1.png,photos/1.png")
    return pairs
