"""Which files belong together: sources, and what they become. Folders tell the sides, and names tell the pairs."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from ..errors import GanvasError
from .names import list_examples
from .parts import read_part_name

Side = Literal["source", "target"]

SIDE_FOLDERS: dict[str, Side] = {  # names of folders, in lower case
    **dict.fromkeys(("a", "source", "sources", "input", "inputs", "before"), "source"),
    **dict.fromkeys(("b", "target", "targets", "output", "outputs", "after"), "target"),
}
DOMAIN_SIDES: dict[str, Side] = {"A": "source", "B": "target"}  # of trainA and trainB
SIDE_WORDS = "a|b|real|fake|source|target|input|output|before|after|mask|masks|label|labels|sketch|edges"
SIDE_ENDING = re.compile(rf"[ _.-]+({SIDE_WORDS})$")  # "cat_real" and "cat-fake" are both "cat"


class PlacedSide(NamedTuple):
    """A file's place in a set of pairs."""

    part: str  # "train", "test", "validation"
    side: Side | None  # None: its folders do not say
    path: str  # its path without the folders of the part and the side


class Pairing(NamedTuple):
    """Pairs of (index of a source, index of a target), and the names that have no partner."""

    pairs: list[tuple[int, int]]
    lone_sources: list[str]
    lone_targets: list[str]

    @property
    def lone_names(self) -> list[str]:
        return self.lone_sources + self.lone_targets


def place_side(name: str) -> PlacedSide:
    """Read a path such as "trainA/1.png", "A/train/1.png" or "train/A/1.png"."""
    part, kept_folders = "train", list[str]()
    side: Side | None = None
    *folders, file_name = name.split("/")
    for folder in folders:
        read_part = read_part_name(folder)
        if side is None and folder.lower() in SIDE_FOLDERS:
            side = SIDE_FOLDERS[folder.lower()]
        elif read_part is not None and (not read_part.domain or side is None):
            part = read_part.part
            side = DOMAIN_SIDES.get(read_part.domain) or side
        else:
            kept_folders.append(folder)
    return PlacedSide(part, side, "/".join([*kept_folders, file_name]))


def pair_by_name(source_paths: Sequence[str], target_paths: Sequence[str]) -> Pairing:
    """Pair paths that agree without their suffix; those left over, if they agree without case and words such as "_real".

    Raises:
        GanvasError: two files of a side have the same name, apart from the suffix.
    """
    pairs: list[tuple[int, int]] = []
    sources, targets = list(range(len(source_paths))), list(range(len(target_paths)))
    for read_key in (_read_stem, _read_loose_stem):
        source_keys = _index_by_key(source_paths, sources, read_key)
        target_keys = _index_by_key(target_paths, targets, read_key)
        pairs += [(source_keys[key], target_keys[key]) for key in source_keys if key in target_keys]
        paired_sources, paired_targets = {source for source, _ in pairs}, {target for _, target in pairs}
        sources = [index for index in sources if index not in paired_sources]
        targets = [index for index in targets if index not in paired_targets]
    return Pairing(sorted(pairs), [source_paths[i] for i in sources], [target_paths[i] for i in targets])


def _read_stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _read_loose_stem(path: str) -> str:
    return SIDE_ENDING.sub("", _read_stem(path).casefold())


def _index_by_key(paths: Sequence[str], indices: Sequence[int], read_key: Callable[[str], str]) -> dict[str, int]:
    index_by_key: dict[str, int] = {}
    for index in indices:
        key = read_key(paths[index])
        if key in index_by_key:
            both = list_examples([paths[index_by_key[key]], paths[index]])
            raise GanvasError(f"two files of one side have the same name: {both}: remove or rename one")
        index_by_key[key] = index
    return index_by_key
