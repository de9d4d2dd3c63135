"""Rows of a table: a CSV, TSV, Parquet, Feather or JSON-lines file, or a table of an SQLite database."""

import re
from pathlib import Path

from ..configuration import config
from ..errors import GanvasError
from .names import is_hidden, list_examples
from .parts import HELD_OUT_PARTS, PART_NAMES
from .tables import TableRows, is_table_path, limit_rows, open_table
from .tables.joining import count_children, join_parent
from .tables.opening import read_open_table


@config
class Rows:
    """A table, with its test part if it has one: people.train.csv and people.test.csv, or a folder of both.

    parent: another table. Each row gets the columns of its parent there, by `key`, so that it can be generated for a parent.
    children: another table. Each row gets the number of its children there, by `key`.
    key: the column that both tables have.
    """

    path: str
    test: str | None = None  # another table: rows kept out of training, to score against
    leave_out: tuple[str, ...] = ()  # columns that are not used
    limit: int | None = None  # train on at most this many rows: random, but always the same
    parent: str | None = None
    children: str | None = None
    key: str = ""

    def __post_init__(self) -> None:
        if self.key == "" and (self.parent or self.children):
            raise GanvasError("two tables are joined by a column of both: set `key` to its name")

    def items(self, suffixes: tuple[str, ...]) -> TableRows:
        """The rows to train on. Raises GanvasError if there are fewer than two."""
        return limit_rows(self.read_rows(find_part_path(self.path, "train") or self.path), self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> TableRows | None:
        """The rows at `test`, or the test part beside the path; None if there is none."""
        path = self.test or find_part_path(self.path, "test")
        return None if path is None else self.read_rows(path)

    def read_rows(self, path: str) -> TableRows:
        """The rows at a path, joined with the parent's columns or the children's number."""
        table = open_table(path)
        if self.parent is not None:
            table = join_parent(table, open_table(self.parent), self.parent, self.key)
        if self.children is not None:
            table = count_children(table, open_table(self.children), self.children, self.key)
        return read_open_table(table, self.leave_out)


def find_part_path(path: str, part: str) -> str | None:
    """The file of the part "train" or "test"; None if there is none. Raises GanvasError for a folder without a table."""
    location = Path(path).expanduser()
    if location.is_dir():
        tables = {
            file.name: file for file in sorted(location.iterdir()) if is_table_path(file.name) and not is_hidden(file.name)
        }
        training_names = [name for name in tables if _read_stem(name) in PART_NAMES["train"]]
        if part == "train":
            return str(_choose_training_file(location, tables, training_names))
        return _find_held_out(location, training_names[0]) if training_names else None
    return _find_held_out(location.parent, location.name) if part == "test" and is_table_path(location.name) else None


def _choose_training_file(folder: Path, tables: dict[str, Path], training_names: list[str]) -> Path:
    if training_names:
        return tables[training_names[0]]
    if len(tables) == 1:
        return next(iter(tables.values()))
    examples = f"several tables ({list_examples(list(tables))}): give one of them" if tables else "no table: give a file"
    raise GanvasError(f"{folder} holds {examples}, or name them train.csv and test.csv")


def _read_stem(name: str) -> str:
    return name.lower().partition(".")[0]


def _find_held_out(folder: Path, name: str) -> str | None:
    """The file with the same name but for its part: "train" as a word of it. None if there is none."""
    for part in HELD_OUT_PARTS:
        for word in PART_NAMES[part]:
            pattern = rf"(?<![a-z])({'|'.join(PART_NAMES['train'])})(?![a-z])"
            other_name, count = re.subn(pattern, word, name, count=1, flags=re.IGNORECASE)
            if count and (folder / other_name).is_file():
                return str(folder / other_name)
    return None
