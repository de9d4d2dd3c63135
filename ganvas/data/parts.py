"""Sets in parts, such as train/ and test/: which file belongs to which part. Parts are not classes."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

PART_NAMES: Mapping[str, tuple[str, ...]] = {  # names of their folders, in lower case
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("validation", "valid", "val", "dev"),
}
HELD_OUT_PARTS = ("test", "validation")  # the first existing one is held out
DOMAIN_PATTERN = re.compile(r"(.+?)[_-]?([AB])")  # trainA and trainB, as in data sets for translation


class PlacedFile(NamedTuple):
    """A file's place in a set of parts."""

    part: str | None  # "train", "test", "validation"; None: in no part
    class_path: str  # its path without the folder of the part: the other folders may be its class


class PartFolder(NamedTuple):
    """A folder's name read as a part's: which one, and "A" or "B" where it is of one of two domains."""

    part: str
    domain: str


def read_part_name(folder_name: str) -> PartFolder | None:
    """The part that a folder of this name is; None if it is none."""
    domain_match = DOMAIN_PATTERN.fullmatch(folder_name)
    for name, domain in ((folder_name, ""), (domain_match[1], domain_match[2]) if domain_match else ("", "")):
        part = next((part for part, names in PART_NAMES.items() if name.lower() in names), None)
        if part is not None:
            return PartFolder(part, domain)
    return None


def place_files(names: Sequence[str]) -> list[PlacedFile] | None:
    """Each file's part, by the uppermost folders called train beside test or validation; None where there are none.

    Such folders may lie below classes (cat/train/1.png). There every file has to be in one.
    """
    folders = [name.split("/")[:-1] for name in names]
    for depth in range(max(map(len, folders), default=0)):
        read_names = {name: read_part_name(name) for name in {f[depth] for f in folders if len(f) > depth}}
        parts = [read_names[f[depth]] if len(f) > depth else None for f in folders]
        present_parts = {part.part for part in parts if part}
        is_below_classes = len({tuple(f[:depth]) for f, part in zip(folders, parts, strict=True) if part}) > 1
        if "train" in present_parts and len(present_parts) > 1 and not (is_below_classes and None in parts):
            return [_place_file(name, depth, part) for name, part in zip(names, parts, strict=True)]
    return None


def _place_file(name: str, depth: int, part: PartFolder | None) -> PlacedFile:
    if part is None:
        return PlacedFile(None, name)
    path = name.split("/")
    return PlacedFile(part.part, "/".join([*path[:depth], *([part.domain] if part.domain else []), *path[depth + 1 :]]))


def choose_held_out_part(part_sizes: Mapping[str, int]) -> str | None:
    """The part to hold out, of parts with so many samples; None where none has two, which a score needs."""
    return next((part for part in HELD_OUT_PARTS if part_sizes.get(part, 0) >= 2), None)
