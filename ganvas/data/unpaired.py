"""Two sets of pictures without pairs, for translators: each side is stored once and drawn by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..configuration import config
from ..errors import GanvasError
from .items import MIN_DATASET_SAMPLES, ItemList, fingerprint_parts, limit_items
from .listing import FileListing
from .names import format_count
from .rows import match_rows
from .sides import SidedFile, SidedPart, divide_sides, read_sided_part


@config
class Unpaired:
    """Two sets of pictures in a folder or a zip. A translator learns to make the second kind, "x", from the first, "source".

    path: A/ with the sources and B/ with what they shall look like; or trainA, trainB, testA, testB.
    targets: another folder, with the second kind.
    reverse: from B to A.
    limit: train on at most this many pictures of each kind: random, but always the same.
    """

    path: str
    targets: str | None = None
    reverse: bool = False
    limit: int | None = None

    def items(self, suffixes: tuple[str, ...]) -> "UnpairedItems":
        """The pictures to train on. Raises GanvasError if a side has fewer than two."""
        part = read_sided_part(self.path, self.targets, suffixes, "train")
        if part is None:
            raise GanvasError(f"{self.path} has no pictures to train on: put them into trainA and trainB, or into A and B")
        return self._read_sides(part, self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> "UnpairedItems | None":
        """The pictures of testA and testB, or of a folder called test or val; None if there are none."""
        part = read_sided_part(self.path, self.targets, suffixes, "test")
        return None if part is None else self._read_sides(part, None)

    def _read_sides(self, part: SidedPart, limit: int | None) -> "UnpairedItems":
        advice = "put the sources into A, and pictures of the other kind into B"
        files = dict(zip("AB", divide_sides(part, advice), strict=True))
        listings = {"A": part.listing, "B": part.target_listing}
        sides = {name: limit_items(build_side_items(listings[name], name, files[name]), limit) for name in "AB"}
        return UnpairedItems(
            sides={"source": sides["B"], "x": sides["A"]} if self.reverse else {"source": sides["A"], "x": sides["B"]},
            title=f"{part.listing.title} ({', '.join(f'{len(side):,} in {name}' for name, side in sides.items())})",
            notes=(*part.listing.notes, "its sides A and B are drawn without pairs"),
        )


def build_side_items(listing: FileListing, name: str, sided_files: Sequence[SidedFile]) -> ItemList:
    """The pictures of one side. Raises GanvasError if there are fewer than two."""
    files = [file.file for file in sided_files]
    if len(files) < MIN_DATASET_SAMPLES:
        raise GanvasError(
            f"{listing.title} has {format_count(len(files))} in {name}, which is no data set: at least {MIN_DATASET_SAMPLES} "
            "are needed, and hundreds to learn from"
        )
    return ItemList(
        names=[file.name for file in files],
        read_item=lambda index: files[index].read(),
        fingerprint=listing.take_fingerprint(files, []),
        title=f"{name} of {listing.title} ({format_count(len(files))})",
    )


@dataclass
class UnpairedItems:
    """Samples of several sides without pairs (core.Items). There are as many as of side "x"; each goes with any of the others.

    Each side is a list of its own, and is encoded and held out by itself.
    """

    sides: Mapping[str, ItemList]
    title: str
    notes: tuple[str, ...] = ()
    label_notes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    names: Sequence[str] = field(init=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        self.names = self.sides["x"].names
        fingerprints = {name: side.fingerprint for name, side in sorted(self.sides.items())}
        self.fingerprint = fingerprint_parts("unpaired", fingerprints)

    def __len__(self) -> int:
        return len(self.sides["x"])

    def __getitem__(self, index: int) -> Mapping[str, bytes | np.ndarray]:
        return {name: side[match_rows(index, len(self), len(side))] for name, side in self.sides.items()}
