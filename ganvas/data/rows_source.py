"""Rows of a table: a CSV, TSV, Parquet, Feather or JSON-lines file, or a table of an SQLite database."""

import re
from pathlib import Path

from ..configuration import config
from ..errors import GanvasError
from .names import is_hidden, list_examples
from .parts import HELD_OUT_PARTS, PART_NAMES
from .tables import TableRows, is_table_path, limit_rows, read_table_rows


@config
class Rows:
    """A table, with its test part if it has one: people.train.csv and people.test.csv, or a folder of both."""

    path: str
    test: str | None = None  # another table: rows kept out of training, to score against
    leave_out: tuple[str, ...] = ()  # columns that are not used
    limit: int | None = None  # train on at most this many rows: random, but always the same

    def items(self, suffixes: tuple[str, ...]) -> TableRows:
        """The rows to train on. Raises GanvasError if there are fewer than two."""
        return limit_rows(read_table_rows(find_part_path(self.path, "train") or self.path, self.leave_out), self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> TableRows | None:
        """The rows at `test`, or the test part beside the path; None if there is none."""
        path = self.test or find_part_path(self.path, "test")
        return None if path is None else read_table_rows(path, self.leave_out)


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
