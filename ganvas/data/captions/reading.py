"""What was read of a set's captions, before it is matched with the pictures."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from ..names import normalise_name


class CaptionRow(NamedTuple):
    """One row: a picture, some of its captions, and what else is known of it."""

    name: str  # of the picture, as the row gives it
    picture: str | None  # its path below the top; None: there is no such picture
    captions: tuple[str, ...]
    cells: Mapping[str, Any] = {}  # further columns


class CaptionReading(NamedTuple):
    """All captions of a set."""

    origin: str  # the files that they were read from, for people
    rows: Sequence[CaptionRow]
    parts: Mapping[str, Sequence[str]] | None = None  # the pictures of "train" and "test"; None: their folders tell
    notes: tuple[str, ...] = ()


class PictureIndex:
    """The pictures of a set, to be found by what tables call them.

    Args:
        names: their paths below the top.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.paths = set(names)
        self.suffixes = {PurePosixPath(path).suffix.lower() for path in names} - {""}
        self.paths_by_name: dict[str, str | None] = {}
        for path in names:
            name = PurePosixPath(path).name
            self.paths_by_name[name] = None if name in self.paths_by_name else path

    def find_picture(self, name: str, folder: str = "") -> str | None:
        """The picture that a table in `folder` ("train/") names: below it or below the top; anywhere, if the name is unique."""
        name = normalise_name(name.strip())
        found_path = next((path for path in (folder + name, name) if path in self.paths), None)
        return found_path or (self.paths_by_name.get(name) if "/" not in name else None)

    def looks_like_picture(self, name: str) -> bool:
        """Whether this names a picture of the set, or another file of its kind."""
        return PurePosixPath(name).suffix.lower() in self.suffixes or self.find_picture(name) is not None
