"""Tables of pairs: a line for each pair, with the path of the source, or of several, and that of what it becomes."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import GanvasError
from .formats.archive import list_archive
from .formats.folder import list_folder
from .listing import FileListing, ListedFile
from .names import format_count, list_examples, normalise_name
from .stacked_sources import MAX_SOURCES

PAIR_TABLE_NAME = "pairs.csv"
SOURCE_COLUMN, TARGET_COLUMN = "source", "target"  # the first and the last one
TEST_ENDING = "_test"  # pairs_test.csv holds the test part of pairs.csv
MAX_PAIR_TABLE_BYTES = 256 * 2**20


class PairTable(NamedTuple):
    """The files that a table names: in each row the sources, then what they become."""

    name: str
    listing: FileListing
    source_names: tuple[str, ...]  # "source", then those of further sources
    rows: Sequence[tuple[ListedFile, ...]]

    @property
    def pairs(self) -> list[tuple[ListedFile, ListedFile]]:
        """The first source of each row with its target."""
        return [(row[0], row[-1]) for row in self.rows]

    @property
    def sources(self) -> list[dict[str, ListedFile]]:
        """The sources of each row, by name."""
        return [dict(zip(self.source_names, row, strict=False)) for row in self.rows]


class PairRows(NamedTuple):
    """The text of a table: the names of its sources, and the paths of each row."""

    source_names: tuple[str, ...]
    paths: Sequence[tuple[str, ...]]


def find_pair_table(path: str, split: str = "train") -> PairTable | None:
    """The table at `path`, or pairs.csv at the top of the folder or zip at `path`; None if there is none.

    Paths in a table are relative to it. The first line may name the columns: source,target. A table with further sources names
    them between the two: source,clothes,target.

    Args:
        split: "train", or "test" for the table beside it whose name ends in _test: pairs_test.csv.

    Raises:
        GanvasError: the table cannot be read, has other columns, or names files that are not there.
    """
    place = _find_table_place(path)
    if place is None:
        return None
    listing, name = place
    table = _read_pair_table(listing, name)
    test_name = str(PurePosixPath(name).with_stem(PurePosixPath(name).stem + TEST_ENDING))
    if split == "train":
        return table
    if test_name not in {file.name for file in listing.files}:
        return None
    test_table = _read_pair_table(listing, test_name)
    if test_table.source_names != table.source_names:
        first, second = (" + ".join(t.source_names) for t in (table, test_table))
        raise GanvasError(f"{name} has the sources {first}, and {test_name} has {second}: give both tables the same columns")
    return test_table


def _find_table_place(path: str) -> tuple[FileListing, str] | None:
    """(the files, the name of the table among them)."""
    location = Path(path).expanduser()
    if location.suffix.lower() == ".csv" and location.is_file():
        return list_folder(location.parent), location.name
    if location.is_dir():
        return (list_folder(location), PAIR_TABLE_NAME) if (location / PAIR_TABLE_NAME).is_file() else None
    if location.suffix.lower() == ".zip" and location.is_file():
        listing = list_archive(location)
        return (listing, PAIR_TABLE_NAME) if PAIR_TABLE_NAME in {file.name for file in listing.files} else None
    return None


def has_pair_columns(data: bytes) -> bool:
    """Whether a table's first line names the columns of pairs."""
    first_line = data[:1000].decode("utf-8-sig", "replace").partition("\n")[0]
    return _are_pair_columns([cell.strip().strip('"') for cell in first_line.split(",")])


def _are_pair_columns(cells: Sequence[str]) -> bool:
    """Whether both columns are there and one of them is in its place; the other one may be misplaced, which is refused."""
    names = [cell.lower() for cell in cells]
    return {SOURCE_COLUMN, TARGET_COLUMN} <= set(names) and (names[0] == SOURCE_COLUMN or names[-1] == TARGET_COLUMN)


def _read_pair_table(listing: FileListing, name: str) -> PairTable:
    files = {file.name: file for file in listing.files}
    source_names, rows = _parse_rows(files[name].read(), name)
    missing_names = [path for row in rows for path in row if path not in files]
    if missing_names:
        raise GanvasError(
            f"{name} names {format_count(len(missing_names))} that {listing.title} lacks ({list_examples(missing_names)}): "
            "write paths relative to the table"
        )
    return PairTable(name, listing, source_names, [tuple(files[path] for path in row) for row in rows])


def _parse_rows(data: bytes, name: str) -> PairRows:
    """The names of sources and the paths of each line. Raises GanvasError for a line without a path for each column."""
    if len(data) > MAX_PAIR_TABLE_BYTES:
        raise GanvasError(f"{name} is larger than {MAX_PAIR_TABLE_BYTES // 2**20} MB: refused")
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        rows = [tuple(normalise_name(cell.strip()) for cell in row) for row in lines if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise GanvasError(f"{name} cannot be read ({error}): save it as comma-separated values in UTF-8") from None
    source_names: tuple[str, ...] = (SOURCE_COLUMN,)
    if rows and _are_pair_columns(rows[0]):
        source_names, rows = _parse_columns(rows[0], name), rows[1:]
    for number, row in enumerate(rows, 1):
        if len(row) != len(source_names) + 1 or not all(row):
            raise GanvasError(f"{name} has {','.join(row)!r} for pair {number}: {_describe_line(source_names)}")
    if not rows:
        raise GanvasError(f"{name} names no pairs: write a line for each, such as sketches/1.png,photos/1.png")
    return PairRows(source_names, rows)


def _describe_line(source_names: Sequence[str]) -> str:
    """What a line of the table holds, for people."""
    if len(source_names) > 1:
        return f"a line holds {len(source_names) + 1} paths, {','.join((*source_names, TARGET_COLUMN))}"
    advice = "for further sources, name the columns in the first line, such as source,clothes,target"
    return f"a line holds two paths, a source and what it becomes; {advice}"


def _parse_columns(cells: Sequence[str], name: str) -> tuple[str, ...]:
    """The names of sources, in small letters. Raises GanvasError for another order, or columns without a name of their own."""
    names = tuple(cell.lower() for cell in cells)
    fault = None
    if (names[0], names[-1]) != (SOURCE_COLUMN, TARGET_COLUMN):
        fault = "the first column is source, the last one is target, and further sources stand between them"
    elif not all(names) or any("=" in column for column in names):
        fault = "give each column a name without ="
    elif len(set(names)) < len(names):
        fault = "give each column a name of its own"
    elif len(names) > MAX_SOURCES + 1:
        fault = f"up to {MAX_SOURCES} sources go together"
    if fault:
        raise GanvasError(f"{name} has the columns {','.join(cells)}: {fault}")
    return names[:-1]
