"""Lines of a text file: each one is a sample."""

import unicodedata
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from ..configuration import config
from ..errors import GanvasError
from ..system.files import explain_os_errors
from .items import MIN_DATASET_SAMPLES, ItemList, fingerprint_parts, limit_items
from .tables.table_rows import RowNames


@config
class Lines:
    """A text file in UTF-8, such as a list of words. Empty lines are left out."""

    path: str
    test: str | None = None  # another file: lines kept out of training, to score against
    limit: int | None = None  # train on at most this many lines: random, but always the same

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """The lines to train on. Raises GanvasError if there are fewer than two."""
        return limit_items(read_line_items(self.path), self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList | None:
        """The lines of `test`; None without it."""
        return None if self.test is None else read_line_items(self.test)


def is_text_path(path: str) -> bool:
    """Whether a path is a file of lines, by its name."""
    location = Path(path).expanduser()
    return location.suffix.lower() == ".txt" and location.is_file()


def read_line_items(path: str) -> ItemList:
    """The lines of a file, each as bytes in UTF-8. Raises GanvasError for a file that is no text, or of fewer than two."""
    location = Path(path).expanduser()
    if location.is_dir() or not location.exists():
        state = "is a folder" if location.is_dir() else "does not exist"
        raise GanvasError(f"{location} {state}: give a text file with a sample on each line, such as words.txt")
    with explain_os_errors("reading", location):
        data = location.read_bytes()
    lines = [unicodedata.normalize("NFC", line.strip()) for line in decode_lines(data, location).splitlines()]
    texts = [line.encode() for line in lines if line]
    if len(texts) < MIN_DATASET_SAMPLES:
        count = "1 line" if texts else "no line"
        raise GanvasError(f"{location} holds {count} of text: give one sample a line, at least {MIN_DATASET_SAMPLES}")
    empty = len(lines) - len(texts)
    title, fingerprint = f"{location.name} ({len(texts):,} lines)", fingerprint_parts(location.name, blake2b(data).hexdigest())
    items = ItemList(RowNames(location.name, len(texts), "line"), texts.__getitem__, fingerprint, title)
    return replace(items, notes=(f"{empty:,} empty lines are left out",)) if empty else items


def decode_lines(data: bytes, path: Path) -> str:
    """The text of a file. Raises GanvasError for bytes that are no UTF-8, or that text does not hold."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise GanvasError(f"{path} line {line} is no UTF-8: save it as UTF-8 text, with a sample on each line") from None
    if "\0" in text:
        raise GanvasError(f"{path} holds zero bytes, so it is no text: give a file with a sample on each line")
    return text
